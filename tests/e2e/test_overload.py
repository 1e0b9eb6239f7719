"""Ten times as many log-ins as a service can hash: what it sheds, and who still comes."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from authbus_service.core.database import Database
from tests.rig.overload import (
    FULL_COST,
    LARGEST_RSS,
    Sent,
    all_answered,
    all_logged_out,
    flood,
    logging_out,
    outcomes,
    rebalances,
    sampled,
    sealed,
    sessions,
    total,
    until_then,
)
from tests.rig.processes import ServiceProcess, serving
from tests.rig.producing import Producer

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

OVER, SECONDS, LOG_OUTS, CALM = 10, 60, 5, 15
ANSWERS = {"LoggedIn", "invalid_credentials", "busy", "expired"}
P99 = 0.25


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

        left, before = held[len(calm.drafts) :], rebalances(process.metrics())
        async with sampled(process.rss) as rss, logging_out(crowded, left, LOG_OUTS):
            await flood(web, drafts, OVER * rate)
        slowest = await all_answered(web, drafts)

        found = outcomes(web, drafts)
        busy = total(process.metrics(), "authbus_commands_total", 'outcome="busy"')
        lost = total(process.metrics(), "authbus_lost_replies_total")
        print(  # noqa: T201
            f"{rate:.0f} log-ins a second; {len(drafts)} in {SECONDS} s: {dict(found)}, the last "
            f"{slowest:.1f} s after the flood, {lost} lost; {max(rss) / 2**20:.0f} MiB; "
            f"log-out p99 {1000 * calm.p99():.0f} ms of {len(calm.took)} in calm, "
            f"{1000 * crowded.p99():.0f} ms of {len(crowded.took)} in the flood"
        )
        assert set(found) <= ANSWERS
        assert found["busy"] == busy > len(drafts) / 2
        assert found["LoggedIn"] > 0
        assert max(rss) < LARGEST_RSS
        assert rebalances(process.metrics()) == before != []
        assert lost == 0
        assert all_logged_out(web, [*calm.drafts, *crowded.drafts])
        assert crowded.p99() < P99
