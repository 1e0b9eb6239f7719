"""What cannot come back: sessions end with a reason, people are there with a void password."""

from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus import (
    ChangePassword,
    CompletePasswordReset,
    GrantRole,
    LoggedIn,
    LogIn,
    Refreshed,
    RefreshSession,
    RequestPasswordReset,
    UpdateProfile,
)
from authbus.topics import SESSIONS_ENDED
from authbus_service.auth.codes.code import Purpose
from tests.rig.accident import (
    all_said,
    backup,
    forget_commands,
    missing,
    recovered,
    said,
    serving,
)
from tests.rig.authenticator import confirmed, enrolled, started
from tests.rig.crowd import PASSWORD, Crowd, assert_events_count, email
from tests.rig.mailed import code
from tests.rig.operators import by_operator
from tests.rig.world import World

pytestmark = pytest.mark.gate

NEW = SecretStr("staple them together")
PUBLIC = "SELECT id, sequence, status, email, email_verified, roles, profile FROM users ORDER BY id"


async def sessions(world: World) -> dict[UUID, str | None]:
    """Each session and why it ended."""
    return {row["id"]: row["end_reason"] for row in await world.rows("SELECT * FROM sessions")}


async def logs_in(world: World, user: int, password: SecretStr) -> bool:
    draft = world.web.draft(LogIn(email=email(user), password=password))
    return isinstance(await world.web.ask(draft), LoggedIn)


async def test_a_session_whose_command_is_gone_ends_by_an_event_once(world: World) -> None:
    crowd = Crowd(world)
    async with serving(world):
        await crowd.with_sessions(3)
    copy = await backup(world.database)
    async with serving(world):
        found = await crowd.asked(crowd.log_ins(range(3)))
        again = [each for each in found if isinstance(each, LoggedIn)]
        await crowd.asked(crowd.log_outs(again[:1]))
    await forget_commands(world.servers, world.namespace)
    back = replace(world, database=copy)

    reports = [await recovered(back, dry_run=True), await recovered(back), await recovered(back)]
    for _ in range(2):
        await all_said(back)
        reports.append(await recovered(back))

    events = await said(world)
    await copy.close()
    ended = {each["session_id"]: each["reason"] for each in events if "reason" in each}
    revoked = {each.get("session_id") for each in await said(world, SESSIONS_ENDED)} - {None}
    assert reports[0].lost == reports[1].lost
    assert {each["what"] for each in reports[1].lost} == {
        f"session {each.session_id}" for each in again[1:]
    }
    assert [each.sessions_ended for each in reports] == [2, 2, 0, 0, 0]
    assert ended == dict(
        zip([str(each.session_id) for each in again], ["logout", "revoked", "revoked"], strict=True)
    )
    assert revoked == ended.keys()
    assert_events_count(events)


async def test_a_session_that_was_refreshed_since_comes_back_from_its_refresh(world: World) -> None:
    crowd, draft = Crowd(world), world.web.draft
    copy = await backup(world.database)
    async with serving(world):
        (first, other) = await crowd.with_sessions(2)
    await forget_commands(world.servers, world.namespace)
    async with serving(world):
        refresh = RefreshSession(session_id=first.session_id, refresh_token=first.refresh_token)
        (newer,) = await crowd.asked([draft(refresh)])
    assert isinstance(newer, Refreshed)
    back = replace(world, database=copy)

    report = await recovered(back)

    async with serving(back):
        refresh = RefreshSession(session_id=first.session_id, refresh_token=newer.refresh_token)
        assert isinstance(await world.web.ask(draft(refresh)), Refreshed)
    assert await sessions(back) == {first.session_id: None, other.session_id: "revoked"}
    await copy.close()
    assert report.sessions_ended == 1


async def test_a_session_whose_refresh_is_lost_ends_by_an_event(world: World) -> None:
    crowd = Crowd(world)
    async with serving(world):
        (session,) = await crowd.with_sessions(1)
    copy = await backup(world.database)
    async with serving(world):
        refresh = RefreshSession(session_id=session.session_id, refresh_token=session.refresh_token)
        await crowd.asked([world.web.draft(refresh)])
    await forget_commands(world.servers, world.namespace)
    back = replace(world, database=copy)

    report = await recovered(back)

    assert await sessions(back) == {session.session_id: "revoked"}
    await copy.close()
    assert missing(report) == ["session"]


async def live(world: World, crowd: Crowd) -> None:
    """Two people; one has a profile and a role."""
    first, _ = await crowd.with_sessions(2)
    profile = UpdateProfile(access_token=first.access_token, profile_version=0, display_name="Ana")
    await crowd.asked([world.web.draft(profile)])
    granted = by_operator(
        world, lambda by: GrantRole(access_token=by, user_id=first.user_id, role="admin")
    )
    await world.web.ask(granted)


async def test_a_user_whose_command_is_gone_is_back_and_sets_a_new_password_by_mail(
    world: World,
) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        await live(world, crowd)
    await forget_commands(world.servers, world.namespace)
    back = replace(world, database=copy)

    report = await recovered(back)

    found, lost = await back.rows(PUBLIC), await world.rows(PUBLIC)
    async with serving(back):
        assert not await logs_in(back, 0, PASSWORD)
        await world.web.ask(world.web.draft(RequestPasswordReset(email=email(0))))
        reset = SecretStr(await code(back, Purpose.RESET_PASSWORD, email(0)))
        await world.web.ask(world.web.draft(CompletePasswordReset(code=reset, new_password=NEW)))
        assert await logs_in(back, 0, NEW)
    await copy.close()
    assert found == [row | {"sequence": row["sequence"] + 1} for row in lost]
    assert missing(report) == ["password", "password", "session", "session"]
    assert {each["user_id"] for each in report.lost} == {str(row["id"]) for row in lost}
    assert_events_count(await said(world))


async def test_an_old_password_is_not_good_again_where_the_change_is_lost(world: World) -> None:
    crowd = Crowd(world)
    async with serving(world):
        (session,) = await crowd.with_sessions(1)
    copy = await backup(world.database)
    async with serving(world):
        change = ChangePassword(
            access_token=session.access_token, current_password=PASSWORD, new_password=NEW
        )
        await crowd.asked([world.web.draft(change)])
    await forget_commands(world.servers, world.namespace)
    back = replace(world, database=copy)

    report = await recovered(back)

    async with serving(back):
        refused = [not await logs_in(back, 0, each) for each in (PASSWORD, NEW)]
    await copy.close()
    assert refused == [True, True]
    assert missing(report) == ["password"]


async def test_a_password_that_was_set_since_is_good_and_not_reported(world: World) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        (session,) = await crowd.with_sessions(1)
    await forget_commands(world.servers, world.namespace)
    async with serving(world):
        change = ChangePassword(
            access_token=session.access_token, current_password=PASSWORD, new_password=NEW
        )
        await crowd.asked([world.web.draft(change)])
    back = replace(world, database=copy)

    report = await recovered(back)

    async with serving(back):
        assert await logs_in(back, 0, NEW)
    await copy.close()
    assert missing(report) == ["session"]


async def test_a_second_factor_that_is_lost_stops_nothing_and_is_reported(world: World) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with serving(world):
        first, other = await crowd.with_sessions(2)
        app = await started(world, first)
        await enrolled(world, other)
    await forget_commands(world.servers, world.namespace)
    async with serving(world):
        await confirmed(world, first, app)
    back = replace(world, database=copy)

    report = await recovered(back)

    rows = await back.rows("SELECT second_factor FROM users")
    await copy.close()
    assert [row["second_factor"] for row in rows] == [False, False]
    assert missing(report).count("second") == 2
