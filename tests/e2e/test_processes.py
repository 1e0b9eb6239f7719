"""Two and three processes: one after the other restarts, one is killed, while people log in."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from authbus import AuthClient
from authbus_service.consumers import subscriber
from authbus_service.core.database import Database
from tests.rig.processes import ServiceProcess, serving
from tests.rig.steady import Steady

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

USERS, RATE = 100, 15.0
P99 = 3.0
MISSED = (subscriber._SESSION_MS + subscriber._HEARTBEAT_MS) / 1000 + 2


@asynccontextmanager
async def several(
    count: int, settings: Mapping[str, str], logs: Path
) -> AsyncGenerator[tuple[list[ServiceProcess], AuthClient]]:
    """So many processes, and a client."""
    async with AsyncExitStack() as opened:
        processes = [
            await opened.enter_async_context(serving(settings, logs / f"{each}.log"))
            for each in range(count)
        ]
        told = processes[0].told
        auth = AuthClient(
            told["kafka"], client_id="web", namespace=told["namespace"], trust=told["trust"]
        )
        yield processes, await opened.enter_async_context(auth)


@pytest.mark.parametrize("count", [2, 3])
async def test_a_rolling_restart_is_seen_by_nobody(
    settings: Mapping[str, str], database: Database, tmp_path: Path, count: int
) -> None:
    async with several(count, settings, tmp_path) as (processes, auth):
        steady = Steady(auth, "user", USERS, RATE)
        await steady.come()
        async with steady.load():
            await asyncio.sleep(3)
            quiet, statuses = len(steady.took), list[int]()
            for each in processes:
                statuses.append(await each.stop())
                await each.start()
                await asyncio.sleep(2)
    print(f"{count} processes, each restarted: {steady.figures(since=quiet)}")  # noqa: T201

    assert statuses == [0] * count
    assert steady.quantile(0.99, since=quiet) < P99
    assert len({each.session_id for each in steady.sessions}) == len(steady.took)


async def test_a_killed_process_of_three_is_missed_no_longer_than_its_time_out(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    async with several(3, settings, tmp_path) as (processes, auth):
        steady = Steady(auth, "user", USERS, RATE, timeout=60)
        await steady.come()
        async with steady.load():
            await asyncio.sleep(3)
            quiet = len(steady.took)
            await processes[0].kill()
            await asyncio.sleep(MISSED + 2)
    print(f"one of three killed: {steady.figures(since=quiet)}")  # noqa: T201

    assert max(steady.took) <= MISSED
    assert not steady.again
