"""Commands whose commits were lost before anything was said of them are handled anew."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from authbus import (
    ChangePassword,
    DeactivateUser,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    RegisterUser,
    Rejected,
)
from authbus.replies import Code
from authbus.topics import DEAD_LETTERS, Topic
from authbus_service.auth import handlers
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.inbox import partitions
from authbus_service.outbox.models import OutboxRow
from authbus_service.recovery import backlog, recover
from authbus_service.recovery.reading import Record
from tests.rig.accident import all_said, backup, forget_commands, recovered, said, serving
from tests.rig.crowd import PASSWORD, Crowd, email, until
from tests.rig.long_before import registered_long_before
from tests.rig.operators import by_operator
from tests.rig.world import World

pytestmark = pytest.mark.gate

NEW = SecretStr("staple them together")


def _log_out(session: LoggedIn) -> LogOut:
    return LogOut(session_id=session.session_id, refresh_token=session.refresh_token)


async def test_a_command_whose_commit_was_lost_has_its_effect_as_of_the_time_it_came(
    world: World,
) -> None:
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        (session,) = await crowd.with_sessions(1)
    copy = await backup(world.database)
    expires_at = clock.now() + timedelta(seconds=2)
    command = ChangePassword(
        access_token=session.access_token, current_password=PASSWORD, new_password=NEW
    )
    change = draft(command, expirytime=expires_at)
    anew = draft(command, id_=change.id)
    async with world.consuming():  # without a relay: nothing is said
        (answer,) = await crowd.asked([change])
        (refused,) = await crowd.asked([draft(LogIn(email=email(0), password=PASSWORD))])
    assert refused == Rejected.because(Code.INVALID_CREDENTIALS)
    back = replace(world, database=copy)
    while clock.now() < expires_at:  # noqa: ASYNC110 - a time, not a thing that happens
        await asyncio.sleep(0.05)

    report = await recovered(back)

    assert report.handled_anew == 2
    async with serving(back):
        await world.web.send(anew)
        await until(lambda: len(world.web.answers(anew.id)) > 1)
        (late,) = await crowd.asked([draft(LogIn(email=email(0), password=NEW))])
    assert world.web.read(world.web.answers(anew.id)[-1], anew) == answer
    assert isinstance(late, LoggedIn)
    await copy.close()


async def test_a_command_older_than_the_inbox_remembers_has_no_effect_and_stops_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world)
    async with serving(world):
        await crowd.asked(crowd.registers([1]))
    at = clock.now() - partitions.RETENTION - timedelta(days=2)
    id_ = UUID(f"{int(at.timestamp() * 1000):012x}{new_id().hex[12:]}")
    asked = RegisterUser(email=email(0), password=PASSWORD)
    expires_at = at + timedelta(minutes=5)
    await world.web.send(world.web.draft(asked, id_=id_, expirytime=expires_at))
    read = backlog.arrival

    def old(topic: Topic, record: Record) -> Arrival:
        return replace(read(topic, record), appended_at=at)

    monkeypatch.setattr(backlog, "arrival", old)

    report = await recovered(world)

    assert report.handled_anew == 0
    assert len(await world.rows("SELECT 1 FROM users")) == 1


async def test_a_command_that_was_redriven_long_after_it_had_come_is_found_where_it_lies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world)
    back = await registered_long_before(world, crowd, monkeypatch)

    report = await recovered(back)

    assert report.lost == []
    async with serving(back):
        (answer,) = await crowd.asked(crowd.log_ins([1]))
    assert isinstance(answer, LoggedIn)
    await back.database.close()


async def test_what_waited_unread_is_left_to_the_service_however_long_ago_it_came(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_UNSAID", timedelta(0))  # as if it came long after the last event
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        first, second = await crowd.with_sessions(2)
    copy = await backup(world.database)
    async with serving(world):
        await crowd.asked([draft(LogIn(email=email(0), password=PASSWORD))])
    expired = draft(_log_out(first), expirytime=clock.now() + timedelta(seconds=1))
    waits = draft(_log_out(second))
    for each in (expired, waits):
        await world.web.send(each)
    await asyncio.sleep(1)
    back = replace(world, database=copy)

    report = await recovered(back)

    assert report.handled_anew == 0
    async with serving(back):
        answers = [await world.web.heard(each, 1) for each in (expired, waits)]
    assert [type(each) for (each,) in answers] == [Rejected, LoggedOut]
    asked = "SELECT id FROM sessions WHERE end_reason = 'logout'"
    assert await back.rows(asked) == [{"id": second.session_id}]
    await copy.close()


async def test_what_a_service_far_behind_had_handled_and_not_said_is_handled_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog, "_UNSAID", timedelta(seconds=0.3))
    crowd, draft = Crowd(world), world.web.draft
    async with serving(world):
        first, second = await crowd.with_sessions(2)
    copy = await backup(world.database)
    ends = [draft(_log_out(each)) for each in (first, second)]
    for each in ends:
        await world.web.send(each)
    await asyncio.sleep(1)
    async with world.consuming():  # without a relay: nothing is said
        await crowd.answered(ends)
    async with world.database.transaction() as db:
        gone = delete(OutboxRow).where(OutboxRow.aggregateid == str(second.user_id))
        await db.execute(gone)
    await all_said(world)
    back = replace(world, database=copy)

    report = await recovered(back)

    assert (report.events_applied, report.handled_anew) == ({"SessionEnded": 1}, 1)
    assert not await back.rows("SELECT 1 FROM sessions WHERE end_reason IS NULL")
    await copy.close()


async def test_a_late_command_that_fails_whenever_it_is_tried_is_a_dead_letter_and_stops_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, draft, (first, second) = Crowd(world), world.web.draft, (email(0), email(1))
    async with serving(world):
        await crowd.asked(crowd.registers([2]))
    asked = [draft(RegisterUser(email=each, password=PASSWORD)) for each in (first, second)]
    for each in asked:
        await world.web.send(each)
    prepare = handlers.prepare

    async def fails(request: Request, tools: Tools) -> Proof:
        if request.id == asked[0].id:
            raise ValueError
        return await prepare(request, tools)

    monkeypatch.setattr(handlers, "prepare", fails)

    report = await recovered(world)

    assert report.handled_anew == 1
    (letter,) = await said(world, DEAD_LETTERS)
    assert letter["reason"] == "failed"
    asked_for = {row["canonical"] for row in await world.rows("SELECT canonical FROM emails")}
    assert asked_for == {second, email(2)}


async def test_a_recovery_that_goes_on_takes_no_older_state_over_what_it_has_handled_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        (first,) = await crowd.with_sessions(1)
    await forget_commands(world.servers, world.namespace)
    async with world.consuming():  # without a relay: nothing is said
        await world.web.ask(
            by_operator(world, lambda by: DeactivateUser(access_token=by, user_id=first.user_id))
        )
    back = replace(world, database=copy)

    async def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recover, "end_lost_sessions", dies)
        with pytest.raises(KeyboardInterrupt):
            await recovered(back)
    half = await back.rows("SELECT status FROM users")
    await recovered(back)

    assert half == await back.rows("SELECT status FROM users") == [{"status": "deactivated"}]
    await copy.close()
