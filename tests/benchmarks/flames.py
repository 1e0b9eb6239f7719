"""`make flames`: where the service's CPU goes in a log-in and in a log-out, as pictures.

Into deploy/flames; lines of one function are one.
"""

import argparse
import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import uvloop

from tests.benchmarks.accounts import IN_FLIGHT, USERS, log_ins, log_outs, registered
from tests.benchmarks.processes import CHEAP_HASH
from tests.benchmarks.service import Running, a_service, servers

_ROOT = Path(__file__).parents[2]
_PICTURES = _ROOT / "deploy/flames"
_PY_SPY = _ROOT / ".cache/flames/bin/py-spy"
_A_SECOND = 100
# As many as a user may have, less some.
_SESSIONS = 40 * USERS


@contextlib.asynccontextmanager
async def _pictured(running: Running, name: str) -> AsyncGenerator[None]:
    """Draw what the service does meanwhile."""
    if not _PY_SPY.exists():
        raise SystemExit(f"{_PY_SPY} is missing. Install it: make flames")
    pid = running.processes["service"].pid
    picture = _PICTURES / f"{name}.svg"
    drawn = ("--function", "--rate", str(_A_SECOND), "--output", str(picture), "--pid", str(pid))
    spy = await asyncio.create_subprocess_exec(str(_PY_SPY), "record", *drawn)
    await asyncio.sleep(0.5)  # until it looks
    try:
        yield
    finally:
        spy.send_signal(2)
        if await spy.wait() != 0:
            raise SystemExit("py-spy may not look into another process here: run it as root")
        _entitle(picture, name)


def _entitle(picture: Path, name: str) -> None:
    """In place of py-spy's own title, which is its command line with paths of this machine."""
    drawn = picture.read_text(encoding="utf-8")
    title = re.sub(r'(id="title"[^>]*>)[^<]*', rf"\1The service at a {name}", drawn)
    picture.write_text(title, encoding="utf-8")


async def draw(seconds: float) -> None:
    """One service with the usual hash for log-ins, one with a hash of no cost for log-outs."""
    async with servers() as place:
        async with a_service(place, {}, name="in") as running:
            await registered(running)
            async with _pictured(running, "log-in"):
                await log_ins(running, IN_FLIGHT, seconds)
        async with a_service(place, CHEAP_HASH, name="out") as running:
            await registered(running)
            _, sessions = await log_ins(running, IN_FLIGHT, seconds)
            async with _pictured(running, "log-out"):
                await log_outs(running, sessions[:_SESSIONS], seconds)


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(prog="make flames")
    parser.add_argument("--seconds", type=float, default=10.0)
    _PICTURES.mkdir(exist_ok=True)
    uvloop.run(draw(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
