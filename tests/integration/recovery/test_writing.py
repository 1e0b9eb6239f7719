"""While a database is recovered nobody else writes; what was begun is done again to its end."""

# pyright: reportPrivateUsage=false

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from sqlalchemy import text

from authbus import RegisterUser
from authbus.topics import SESSIONS, Topic
from authbus_service.auth.handlers import HANDLERS
from authbus_service.cli.errors import explain
from authbus_service.cluster import ClusterError
from authbus_service.cluster.installation import settle
from authbus_service.core.database import Database
from authbus_service.inbox import writing
from authbus_service.inbox.writing import OthersWriteError, RecoveryRunsError
from authbus_service.recovery import ending, ordering
from authbus_service.recovery.answers import ANSWERS
from authbus_service.recovery.applying import Applying
from authbus_service.recovery.preparing import Batch
from authbus_service.recovery.reading import Reader, Record
from tests.rig.accident import (
    all_said,
    backup,
    forget_commands,
    missing,
    recovered,
    said,
    serving,
    tables,
)
from tests.rig.crowd import PASSWORD, Crowd, assert_events_count
from tests.rig.world import World


@pytest.mark.gate
async def test_a_process_that_runs_meanwhile_handles_nothing_and_ends(world: World) -> None:
    crowd = Crowd(world)
    async with world.consuming() as consumers:
        await crowd.asked(crowd.registers(range(2)))
        async with writing.alone(world.database):
            (late,) = crowd.registers([2])
            await world.web.send(late)

            assert consumers.failure is not None
            with pytest.raises(RecoveryRunsError, match="authbus recover"):
                await asyncio.wait_for(asyncio.shield(consumers.failure), 10)

    assert not world.web.answers(late.id)
    assert len(await world.rows("SELECT id FROM users")) == 2


async def test_a_stop_meanwhile_ends_all_that_runs(world: World) -> None:
    async with AsyncExitStack() as running:
        consumers = await running.enter_async_context(world.consuming())
        async with writing.alone(world.database):
            (draft,) = Crowd(world).registers([0])
            await world.web.send(draft.but(value=b"garbage"))  # so that the fence is to be moved
            assert consumers.failure is not None
            with pytest.raises(RecoveryRunsError):
                await asyncio.wait_for(asyncio.shield(consumers.failure), 10)
            tasks = list(consumers._tasks)

            await running.aclose()

    assert tasks
    assert all(task.done() for task in tasks)


@pytest.mark.parametrize("held", [writing.alone, writing.beside])
async def test_a_recovery_beside_another_or_beside_who_writes_is_told_to_wait(
    world: World, held: Callable[[Database], AbstractAsyncContextManager[None]]
) -> None:
    async with held(world.database):
        with pytest.raises(OthersWriteError) as refused:
            await recovered(world)

    assert "another authbus recover" in (explain(refused.value) or "")
    await recovered(world)


async def test_no_service_starts_on_a_database_whose_recovery_was_not_finished(
    world: World,
) -> None:
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE installation SET recovering = true"))

    with pytest.raises(ClusterError, match="Run: authbus recover"):
        await settle(world.database, namespace=world.namespace, cluster_id="here")
    await recovered(world)

    await settle(world.database, namespace=world.namespace, cluster_id="here")


class DiedError(Exception):
    """As if the process had ended there."""


class Killed:
    """Dies at its second batch."""

    def __init__(self) -> None:
        self.batches = 0
        self._batch = Applying.batch

    async def __call__(self, applying: Applying, batch: Batch) -> None:
        self.batches += 1
        if self.batches == 2:
            raise DiedError
        await self._batch(applying, batch)


@pytest.mark.gate
async def test_a_recovery_that_is_killed_goes_on_and_a_second_one_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        sessions = await crowd.with_sessions(30)
        await crowd.asked(crowd.log_outs(sessions[:10]))
    expected, back, killed = (
        await tables(world.database, []),
        replace(world, database=copy),
        Killed(),
    )
    monkeypatch.setattr(ordering, "AT_ONCE", 20)

    async def dying(applying: Applying, batch: Batch) -> None:
        await killed(applying, batch)

    with monkeypatch.context() as patched:
        patched.setattr(Applying, "batch", dying)
        with pytest.raises(DiedError):
            await recovered(back)
    half = await back.rows("SELECT id FROM users")
    second = await recovered(back)
    found = await tables(copy, [])
    third = await recovered(back)

    assert 0 < len(half) < 30
    assert found == expected == await tables(copy, [])
    assert second.events_applied.total() > 0
    assert third.events_applied.total() == 0
    await copy.close()


@pytest.mark.gate
async def test_a_recovery_that_is_killed_while_it_ends_sessions_goes_on_and_reports_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        await crowd.with_sessions(3)
    await forget_commands(world.servers, world.namespace)
    back = replace(world, database=copy)
    monkeypatch.setattr(ending, "_AT_ONCE", 1)

    parts, end = iter(range(2)), ending.end_sessions

    async def dies(*asked: Any, **how: Any) -> int:
        if next(parts):
            raise KeyboardInterrupt
        return await end(*asked, **how)

    with monkeypatch.context() as patched:
        patched.setattr(ending, "end_sessions", dies)
        with pytest.raises(KeyboardInterrupt):
            await recovered(back)
    second = await recovered(back)
    await all_said(back)

    events = await said(world)
    await copy.close()
    assert missing(second) == ["password"] * 3 + ["session"] * 3
    assert Counter(each.get("reason") for each in events)["revoked"] == 3
    assert_events_count(events)


async def test_a_copy_of_a_command_under_its_id_is_not_taken_for_it(world: World) -> None:
    web, crowd = world.web, Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        (true,) = crowd.registers([0])
        forged = web.draft(RegisterUser(email="eve@example.com", password=PASSWORD), id_=true.id)
        await web.ask(true)
        for draft in (true.but(value=b"garbage"), true.but(value=forged.value), forged):
            await web.send(draft)
        await web.heard(true, 2)
    expected = await tables(world.database, [])

    report = await recovered(replace(world, database=copy))

    assert await tables(copy, []) == expected
    assert report.lost == []
    await copy.close()


async def test_a_copy_that_is_read_before_the_command_whose_id_it_claims_hides_it_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = await backup(world.database)
    async with serving(world):
        (true,) = Crowd(world).registers([0])
        await world.web.send(true)
        await world.web.send(true.but(topic=SESSIONS.name(world.namespace), value=b"garbage"))
        await world.web.heard(true, 1)
    expected, some = await tables(world.database, []), Reader.some

    async def forged_first(
        reader: Reader, places: Iterable[TopicPartition]
    ) -> list[tuple[Topic, Record]]:
        asked = list(places)
        forged = [each for each in asked if each.topic == SESSIONS.name(world.namespace)]
        return await some(reader, forged or asked)

    monkeypatch.setattr(Reader, "some", forged_first)
    report = await recovered(replace(world, database=copy))

    assert report.lost == []
    assert await tables(copy, []) == expected
    await copy.close()


def test_every_command_with_an_effect_is_answered_again() -> None:
    assert ANSWERS.keys() == HANDLERS.keys()
