"""Ten times as many log-ins as a service can hash: what it sheds, and who still comes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from authbus.topics import COMMAND_TOPICS
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

FULL_COST = {"AUTHBUS_ARGON2_MEMORY_KIB": "19456"}
OVER, SECONDS, LOG_OUTS, CALM = 10, 60, 5, 15
LARGEST_RSS = 1024**3
ANSWERS = {"LoggedIn", "invalid_credentials", "busy", "expired"}
# Kafka makes room on the cores for a log-out; on slow ones the hashes beside it make it so slow.
P99, TIMES = 0.25, 10


@dataclass
class Looked:
    """What was seen of the service each half second: its memory, the partitions that it had."""

    rss: list[int] = field(default_factory=list[int])
    assigned: set[int] = field(default_factory=set[int])


@asynccontextmanager
async def looking(process: ServiceProcess) -> AsyncGenerator[Looked]:
    """Look at it for the length of a block."""
    looked, over = Looked(), asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            looked.rss.append(psutil.Process(process.child.pid).memory_info().rss)
            page = await asyncio.to_thread(process.metrics)
            looked.assigned.add(total(page, "authbus_assigned_partitions"))
            await asyncio.sleep(0.5)

    task = asyncio.create_task(look())
    try:
        yield looked
    finally:
        over.set()
        await task


def total(page: str, metric: str, label: str = "") -> int:
    """The sum of a metric's values whose labels have this in them."""
    lines = (line for line in page.splitlines() if line.startswith(metric) and label in line)
    return int(sum(float(line.split()[-1]) for line in lines))


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


async def test_a_minute_of_ten_times_too_many_log_ins_harms_nobody_who_hashes_nothing(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    served = serving({**settings, **FULL_COST}, tmp_path / "service.log")
    async with served as process, a_producer(process) as web:
        held, rate = await sessions(web)
        calm, crowded = Sent(web), Sent(web)
        async with logging_out(calm, held, LOG_OUTS):
            await asyncio.sleep(CALM)
        drafts, begin = await sealed(web, OVER * rate, SECONDS)
        await until_then(begin)

        left = held[len(calm.drafts) :]
        async with looking(process) as looked, logging_out(crowded, left, LOG_OUTS):
            await flood(web, drafts, OVER * rate)
        slowest = await all_answered(web, drafts)

        found = outcomes(web, drafts)
        busy = total(process.metrics(), "authbus_commands_total", 'outcome="busy"')
        lost = total(process.metrics(), "authbus_lost_replies_total")
        print(  # noqa: T201
            f"{rate:.0f} log-ins a second; {len(drafts)} in {SECONDS} s: {dict(found)}, the last "
            f"{slowest:.1f} s after the flood, {lost} lost; {max(looked.rss) / 2**20:.0f} MiB; "
            f"log-out p99 {1000 * calm.p99():.0f} ms, "
            f"then {1000 * crowded.p99():.0f} ms of {len(crowded.took)}"
        )
        assert set(found) <= ANSWERS
        assert found["busy"] == busy > len(drafts) / 2
        assert found["LoggedIn"] > 0
        assert max(looked.rss) < LARGEST_RSS
        assert looked.assigned == {sum(each.partitions for each in COMMAND_TOPICS)}
        assert lost == 0
        assert all_logged_out(web, [*calm.drafts, *crowded.drafts])
        assert crowded.p99() < max(P99, TIMES * calm.p99())
