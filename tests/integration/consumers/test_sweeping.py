"""Sessions that are over end by themselves, each once, whoever sweeps and whatever is refreshed."""

import asyncio
from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from authbus.events import AnyEvent, EndReason, SessionEnded, SessionRefreshed, SessionStarted
from authbus.replies import Code, Refreshed, Rejected
from authbus_service.auth.proof import Policy
from authbus_service.auth.rows import Rows
from authbus_service.consumers.sweeping import Sweeper
from authbus_service.core.database import Database
from authbus_service.core.security.passwords import Hasher
from tests.integration.consumers.grouping import POLICY
from tests.integration.consumers.racing import (
    COUNTS,
    Race,
    racing,
    refreshing,
    together,
)
from tests.integration.consumers.test_fold import Fold, by_id, row
from tests.rig.crowd import Crowd, assert_in_order
from tests.rig.made import MASTERS
from tests.rig.world import CHEAP, World

SHORT = timedelta(milliseconds=80)
IDLE = replace(POLICY, session_idle=SHORT)
SHORT_LIVED = replace(POLICY, session_lifetime=SHORT)


def a_sweeper(race: Race, woken: list[None] | None = None) -> Sweeper:
    told = [] if woken is None else woken
    return Sweeper(race.groups[0].database, MASTERS, 0.01, lambda: told.append(None))


def ended(events: list[AnyEvent]) -> list[SessionEnded]:
    return [each for each in events if isinstance(each, SessionEnded)]


@pytest.mark.parametrize(
    ("policy", "reason"), [(IDLE, EndReason.IDLE), (SHORT_LIVED, EndReason.EXPIRED)]
)
async def test_a_session_that_is_over_ends_once_and_verifiers_learn_of_it(
    database: Database, policy: Policy, reason: EndReason
) -> None:
    woken: list[None] = []
    async with racing(database, policy) as race:
        _, acting = await race.user(1)
        sweeper = a_sweeper(race, woken)
        await asyncio.sleep(SHORT.total_seconds())

        swept = [await sweeper.sweep() for _ in range(2)]

        (event,) = ended(await race.events())
        told = await race.table("SELECT * FROM outbox ORDER BY position DESC LIMIT 2")
        (kept,) = await race.table("SELECT ended_at, end_reason, lapses_at FROM sessions")
    assert swept == [1, 0]
    assert len(woken) == 1
    assert (event.session_id, event.reason, event.actor) == (acting.session_id, reason, "service")
    assert [each["aggregatetype"] for each in told] == ["events.v1", "sessions.ended.v1"]
    assert told[1]["aggregateid"] == str(acting.session_id)
    assert kept["end_reason"] == reason
    assert kept["ended_at"] >= kept["lapses_at"]


async def test_its_events_ids_follow_from_the_session_alone(database: Database) -> None:
    async with racing(database, IDLE) as race:
        await race.user(1)
        await asyncio.sleep(SHORT.total_seconds())
        ids: list[list[UUID]] = []
        for _ in range(2):
            await a_sweeper(race).sweep()
            ids.append(await race.rows("SELECT id FROM outbox ORDER BY position DESC LIMIT 2"))
            async with database.transaction() as db:  # as if the database had been restored
                await db.exec_driver_sql("UPDATE sessions SET ended_at = NULL, end_reason = NULL")

    assert ids[0] == ids[1]


async def test_sweepers_at_once_end_each_session_once(database: Database) -> None:
    async with racing(database, IDLE) as race:

        async def one(number: int) -> None:
            email, _ = await race.user(number)
            await race.session(email)

        await together(one, 50)
        await asyncio.sleep(SHORT.total_seconds())
        sweepers = [a_sweeper(race) for _ in range(6)]
        swept = await asyncio.gather(*(each.sweep() for each in sweepers))
        swept += [await each.sweep() for each in sweepers]

        events = await race.events()
        await race.no_deadlock()
    assert_in_order(events)
    assert sum(swept) == 100
    assert set(Counter(each.session_id for each in ended(events)).values()) == {1}
    assert len(ended(events)) == 100


@pytest.mark.parametrize("count", COUNTS)
async def test_a_session_is_swept_or_refreshed_never_both(database: Database, count: int) -> None:
    idle = 4 * SHORT
    async with racing(database, replace(POLICY, session_idle=idle)) as race:

        async def one(number: int) -> None:
            email, _ = await race.user(number)
            held = await race.session(email)
            for _ in range(4):
                await asyncio.sleep(race.chance.uniform(0, 1.2 * idle.total_seconds()))
                answer = await race.told(refreshing(held))
                if not isinstance(answer, Refreshed):
                    assert answer == Rejected.because(Code.INVALID_TOKEN)
                    return
                held = answer

        sweeping = [asyncio.create_task(a_sweeper(race).run()) for _ in range(2)]
        await together(one, count)
        async with asyncio.timeout(10):
            live = "SELECT 1 FROM sessions WHERE ended_at IS NULL"
            while await race.rows(live):  # noqa: ASYNC110 - a row wakes nobody
                await asyncio.sleep(SHORT.total_seconds())
        for task in sweeping:
            task.cancel()
        await asyncio.gather(*sweeping, return_exceptions=True)

        timed = await race.timed_events()
        await assert_folded(race, timed)
        await race.no_deadlock()
    assert_in_order([event for event, _ in timed])
    assert {each.reason for each in ended([event for event, _ in timed])} == {EndReason.IDLE}
    assert any(isinstance(event, SessionRefreshed) for event, _ in timed)
    assert over_when(timed) == {"refreshed": set(), "swept early": set()}


def over_when(timed: list[tuple[AnyEvent, datetime]]) -> dict[str, set[UUID]]:
    """Sessions that were refreshed when they were over, and those that ended before."""
    lapses: dict[UUID, datetime] = {}
    found: dict[str, set[UUID]] = {"refreshed": set(), "swept early": set()}
    for event, at in timed:
        match event:
            case SessionStarted(session_id=id_, lapses_at=lapses_at):
                lapses[id_] = lapses_at
            case SessionRefreshed(session_id=id_, lapses_at=lapses_at):
                if at >= lapses.pop(id_, at):
                    found["refreshed"].add(id_)
                lapses[id_] = lapses_at
            case SessionEnded(session_id=id_):
                if at < lapses.pop(id_):
                    found["swept early"].add(id_)
            case _:
                pass
    return found


async def assert_folded(race: Race, timed: list[tuple[AnyEvent, datetime]]) -> None:
    """The tables are what the events say, the sweepers' with them."""
    fold = Fold(race.requests, {"first": Hasher(CHEAP)}, Rows())
    for event, at in timed:
        fold.add(event, at, "first")
    users = by_id(await race.table("SELECT * FROM users"))
    sessions = by_id(await race.table("SELECT * FROM sessions"))
    assert users == by_id(row(each) for each in fold.rows.users.by_id.values())
    assert sessions == by_id(
        asdict(each) | {"amr": " ".join(each.amr)} for each in fold.rows.sessions.known.values()
    )


async def test_a_running_service_sweeps(world: World) -> None:
    crowd = Crowd(world)
    said: list[AnyEvent] = []

    async def look() -> bool:
        said[:] = [each for each in await world.events() if isinstance(each, SessionEnded)]
        return len(said) == 3

    async with replace(world, settings={"sweep_seconds": 1}).consuming():
        sessions = await crowd.with_sessions(5)
        over = {each.session_id for each in sessions[:3]}
        async with world.database.transaction() as db:  # as if a week had passed
            await db.exec_driver_sql(
                "UPDATE sessions SET lapses_at = now() WHERE id = ANY($1)", (list(over),)
            )
        async with asyncio.timeout(10):
            while not await look():  # noqa: ASYNC110 - a row wakes nobody
                await asyncio.sleep(0.05)

    assert {each.session_id for each in ended(said)} == over
