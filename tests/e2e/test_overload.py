"""Ten times as many log-ins as a service can hash: what it sheds, and who still comes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from authbus_service.core.database import Database
from tests.rig.overload import (
    Sent,
    all_answered,
    all_logged_out,
    flood,
    logging_out,
    outcomes,
    sealed,
    sessions,
    until_then,
)
from tests.rig.processes import ServiceProcess, serving
from tests.rig.producing import Producer

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

FULL_COST = {"AUTHBUS_ARGON2_MEMORY_KIB": "19456", "AUTHBUS_LOG_LEVEL": "info"}
OVER, SECONDS, LOG_OUTS, CALM = 10, 60, 10, 15
LARGEST_RSS = 1024**3
ANSWERS = {"LoggedIn", "invalid_credentials", "busy", "expired"}
# Kafka makes room on the cores for a log-out; on slow ones the hashes beside it make it so slow.
P99, TIMES = 0.25, 10


@asynccontextmanager
async def memory(process: ServiceProcess) -> AsyncGenerator[list[int]]:
    """What the service takes, each half second."""
    seen, over = list[int](), asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            seen.append(psutil.Process(process.child.pid).memory_info().rss)
            await asyncio.sleep(0.5)

    looking = asyncio.create_task(look())
    yield seen
    over.set()
    await looking


@asynccontextmanager
async def a_producer(process: ServiceProcess) -> AsyncGenerator[Producer]:
    """A client by hand, whose commands can be sealed before they are sent."""
    jwk = next(each for each in process.public_keys() if each["use"] == "enc")
    told = process.told
    web = Producer(told["kafka"], told["namespace"], jwk, "web")
    await web.start()
    try:
        yield web
    finally:
        await web.stop()


def shed(process: ServiceProcess) -> int:
    """How many commands the service itself says that it was too busy for."""
    lines = process.metrics().splitlines()
    return sum(
        int(float(line.split()[-1]))
        for line in lines
        if line.startswith("authbus_commands_total") and 'outcome="busy"' in line
    )


async def test_a_minute_of_ten_times_too_many_log_ins_harms_nobody_who_hashes_nothing(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "service.log"
    async with serving({**settings, **FULL_COST}, log) as process, a_producer(process) as web:
        held, rate = await sessions(web)
        calm, crowded = Sent(web), Sent(web)
        async with logging_out(calm, held, LOG_OUTS):
            await asyncio.sleep(CALM)
        joined = log.read_text().count("oined group")
        drafts, begin = await sealed(web, OVER * rate, SECONDS)
        await until_then(begin)

        async with memory(process) as rss, logging_out(crowded, held[len(calm.drafts) :], LOG_OUTS):
            await flood(web, drafts, OVER * rate)
        slowest = await all_answered(web, drafts)

        found, busy = outcomes(web, drafts), shed(process)
        print(  # noqa: T201
            f"{rate:.0f} log-ins a second; {len(drafts)} in {SECONDS} s: {dict(found)}, the last "
            f"{slowest:.1f} s after the flood; {max(rss) / 2**20:.0f} MiB; log-out p99 "
            f"{1000 * calm.p99():.0f} ms, then {1000 * crowded.p99():.0f} ms of {len(crowded.took)}"
        )
        assert set(found) <= ANSWERS
        assert found["busy"] == busy > len(drafts) / 2
        assert found["LoggedIn"] > 0
        assert max(rss) < LARGEST_RSS
        assert log.read_text().count("oined group") == joined > 0
        assert all_logged_out(web, [*calm.drafts, *crowded.drafts])
        assert crowded.p99() < max(P99, TIMES * calm.p99())
