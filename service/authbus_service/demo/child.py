"""The service as a process of its own, which never outlives this one."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from authbus_service.embedded import exec_shim
from authbus_service.startup.errors import StartupError

_START_SECONDS = 60
_STOP_SECONDS = 20
_BEGINS = "authbus: "


@asynccontextmanager
async def running(settings: Mapping[str, str], log: Path) -> AsyncGenerator[dict[str, Any]]:
    """Run `authbus serve` with these settings over the usual ones; gives what it prints.

    Raises StartupError with its last words when it does not start.
    """
    command = [sys.executable, "-m", "authbus_service", "serve"]
    shim = [sys.executable, str(exec_shim.__file__), str(int(signal.SIGTERM)), str(os.getpid())]
    with log.open("wb") as file:
        child = await asyncio.create_subprocess_exec(
            *shim,
            "-",
            *command,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=file,
            env={**os.environ, **settings},  # noqa: TID251 - handed on to the child
            start_new_session=True,  # Ctrl-C is for us to pass on
        )
    try:
        yield await _addresses(child, log)
    finally:
        await _end(child)


async def _addresses(child: Process, log: Path) -> dict[str, Any]:
    if child.stdout is None:
        raise AssertionError
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await child.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise StartupError(
            f"the service did not start: {last_words(log)}. Mend that, then run the demo again"
        )
    return json.loads(line)


async def _end(child: Process) -> None:
    if child.returncode is None:
        child.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()


def last_words(log: Path) -> str:
    """What the service ended with; those of a server may go over several lines."""
    text = log.read_text(encoding="utf-8", errors="replace").rstrip()
    _, begins, said = text.rpartition(f"\n{_BEGINS}")
    if begins or text.startswith(_BEGINS):
        return said.removeprefix(_BEGINS)
    return text.rpartition("\n")[2] or "it said nothing"
