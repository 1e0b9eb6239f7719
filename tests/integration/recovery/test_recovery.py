"""A backup, an accident, and every account is back: on a real Kafka and a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    ChangePassword,
    EndAllSessions,
    EraseAccount,
    LoggedIn,
    LogIn,
    RefreshSession,
    ServiceLoggedIn,
    ServiceSecret,
    UpdateProfile,
)
from authbus.envelope import EVENT_SOURCE, stamp
from authbus.events import UserCreated, UserErased
from authbus.topics import AUDIT, EVENTS
from authbus_service.core.ids import new_id
from authbus_service.recovery.events import UnknownEventError
from tests.rig.accident import backup, differences, recovered, said, serving, tables
from tests.rig.crowd import PASSWORD, Crowd, assert_events_count, email
from tests.rig.machines import log_in, made, rotated
from tests.rig.moving import addresses_change
from tests.rig.world import World

NEW = SecretStr("staple them together")


async def live(world: World, crowd: Crowd, sessions: list[LoggedIn]) -> None:
    """Passwords, profiles, sessions and addresses change; users come and go."""
    draft = world.web.draft
    await crowd.asked(crowd.registers(range(20, 30)))
    new = await crowd.asked(crowd.log_ins(range(20, 26)))
    await crowd.asked(crowd.log_outs([each for each in new[:3] if isinstance(each, LoggedIn)]))
    await crowd.asked(
        [
            draft(
                ChangePassword(
                    access_token=each.access_token, current_password=PASSWORD, new_password=NEW
                )
            )
            for each in sessions[:4]
        ]
    )
    profiles = [
        UpdateProfile(access_token=each.access_token, profile_version=0, display_name="Ana")
        for each in sessions[4:7]
    ]
    await crowd.asked([draft(each) for each in profiles])
    await crowd.asked(
        [
            draft(RefreshSession(session_id=each.session_id, refresh_token=each.refresh_token))
            for each in sessions[7:10]
        ]
    )
    await addresses_change(world, crowd, sessions[10:14])
    await crowd.asked(
        [
            draft(EraseAccount(access_token=each.access_token, password=PASSWORD))
            for each in sessions[14:16]
        ]
    )
    await crowd.asked([draft(EndAllSessions(access_token=sessions[16].access_token))])


async def machines(world: World, kept: ServiceSecret) -> list[ServiceSecret]:
    """One machine has another secret, one is new, and both log in; returns all secrets."""
    newer, other = await rotated(world, kept.user_id, 24), await made(world)
    found = [kept, newer, other]
    assert all([isinstance(await log_in(world, each), ServiceLoggedIn) for each in found])
    return found


async def test_a_database_that_is_lost_comes_back_as_it_was(world: World) -> None:
    crowd = Crowd(world)
    async with serving(world):
        sessions, kept = await crowd.with_sessions(20), await made(world)
    copy = await backup(world.database)
    async with serving(world):
        await live(world, crowd, sessions)
        secrets = await machines(world, kept)
    before = await said(world)
    causes = [UUID(each["causation_id"]) for each in before]
    lost = await tables(world.database, causes)

    back = replace(world, database=copy)
    report = await recovered(back)

    assert differences(await tables(copy, causes), lost) == []
    assert report.lost == []
    async with serving(back):
        again = await crowd.asked(
            [
                world.web.draft(LogIn(email=email(each), password=NEW if each < 4 else PASSWORD))
                for each in range(20, 30)
            ]
        )
        tokens = [await log_in(world, each) for each in secrets]
    after = await said(world)
    await copy.close()
    assert all(isinstance(each, LoggedIn) for each in again)
    assert all(isinstance(each, ServiceLoggedIn) for each in tokens)
    assert {each["id"] for each in before} <= {each["id"] for each in after}
    assert_events_count(after)


async def test_a_command_whose_events_were_not_said_yet_is_handled_anew(world: World) -> None:
    crowd = Crowd(world)
    copy = await backup(world.database)
    async with world.consuming():
        await crowd.asked(crowd.registers([0]))
        await world.web.ask(world.web.draft(LogIn(email=email(0), password=NEW)))
    async with world.database.transaction() as db:  # the relay had no time for them
        await db.execute(text("DELETE FROM outbox WHERE aggregatetype <> 'state.keys.v1'"))
    async with serving(world):
        await crowd.asked(crowd.registers([1]))
        await world.web.ask(world.web.draft(LogIn(email=email(1), password=NEW)))
    back = replace(world, database=copy)

    report = await recovered(back)

    emails = await back.rows("SELECT email FROM users ORDER BY email")
    await copy.close()
    assert [row["email"] for row in emails] == [email(0), email(1)]
    assert report.handled_anew == 2


def headed(**changes: str | None) -> list[tuple[str, bytes]]:
    """The headers of an event, with others in their place."""
    named: dict[str, str | None] = {
        "ce_type": UserCreated.wire_type(),
        "ce_id": str(new_id()),
        "ce_source": EVENT_SOURCE,
        "ce_time": stamp(datetime.now(UTC)),
        **changes,
    }
    return [(name, value.encode()) for name, value in named.items() if value is not None]


def no_events(alive: str) -> list[tuple[list[tuple[str, bytes]], bytes | None]]:
    """Headers and values of what is none; `alive` is a user."""
    erased = UserErased.wire_type()
    return [
        ([], b"?"),
        (headed(), None),
        (headed(), b"{}"),
        (headed(ce_time=None), b"{}"),
        (headed(ce_time="2999-01-01T00:00:00"), b"{}"),
        (headed(ce_time="2999-01-01T00:00:00Z"), b"{}"),
        (headed(ce_id="7"), b"{}"),
        (headed(ce_type=erased, ce_subject="7"), b"{}"),
        (headed(ce_type=erased, ce_subject=alive), b"{}"),
        (headed(ce_type="com.example.Thing.v1"), b"{}"),
        (headed(ce_type="authbus.LogIn.v1", ce_source="/clients/web"), b"{}"),
    ]


async def test_what_is_no_event_is_passed_over_and_counted_with_where_the_first_lies(
    world: World,
) -> None:
    crowd, draft = Crowd(world), world.web.draft(LogIn(email=email(0), password=PASSWORD))
    async with world.consuming():  # so that rows wait in the backup
        await crowd.asked(crowd.registers([0]))
    copy = await backup(world.database)
    async with serving(world):
        await crowd.with_sessions(3)
    causes = [UUID(each["causation_id"]) for each in await said(world)]
    lost = await tables(world.database, causes)
    others = no_events(str(crowd.sessions[0].user_id))
    topic = EVENTS.name(world.namespace)
    places = [
        await world.web.send(draft.but(topic=topic, headers=headers, value=value))
        for headers, value in others
    ]
    for headers in ([], headed(ce_causationid="7", ce_id="7")):
        await world.web.send(draft.but(topic=AUDIT.name(world.namespace), headers=headers))
    back = replace(world, database=copy)

    foretold, report = await recovered(back, dry_run=True), await recovered(back)

    assert differences(await tables(copy, causes), lost) == []
    assert report.lost == []
    for each in (foretold.facts(), report.facts()):
        assert each["events_unreadable"] == len(others)
        assert each["first_unreadable"] == f"{topic}/{places[0].partition}/{places[0].offset}"
        assert each["events_read"] == len(causes)
        assert each["last_event"] < "2999"
    await copy.close()


async def test_an_event_of_a_newer_service_is_not_passed_over(world: World) -> None:
    draft = world.web.draft(LogIn(email=email(0), password=PASSWORD))
    topic, headers = EVENTS.name(world.namespace), headed(ce_type="authbus.UserFlew.v1")
    await world.web.send(draft.but(topic=topic, headers=headers, value=b"{}"))

    with pytest.raises(UnknownEventError, match="Recover with the version that was running"):
        await recovered(world, dry_run=True)
