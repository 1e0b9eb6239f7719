"""Administrators on real servers: accounts shut and opened, by a role or by the master key."""

import asyncio
from collections.abc import Callable

from pydantic import SecretStr
from sqlalchemy import text

from authbus import (
    Code,
    DeactivateUser,
    ListSessions,
    LoggedIn,
    LogIn,
    ReactivateUser,
    Registered,
    RegisterUser,
    Rejected,
    SessionEnded,
    UserDeactivated,
    UserIsActive,
    UserIsDeactivated,
    UserReactivated,
)
from authbus_service.core.ids import new_id
from tests.rig.operators import by_operator
from tests.rig.world import PASSWORD, World

ANA, ROOT = "ana@example.com", "root@example.com"


async def registered(world: World, email: str) -> Registered:
    user = await world.web.ask(world.web.draft(RegisterUser(email=email, password=PASSWORD)))
    assert isinstance(user, Registered)
    return user


async def test_a_shut_account_has_no_sessions_and_starts_none_until_it_is_opened(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        user = await registered(world, ANA)
        one, two = await world.logged_in(ANA), await world.logged_in(ANA)
        shut = await web.ask(by_operator(world, shutting(user)))
        listed = await web.ask(web.draft(ListSessions(access_token=one.access_token)))
        refused = await web.ask(web.draft(LogIn(email=ANA, password=PASSWORD)))
        opened = await web.ask(by_operator(world, opening(user)))
        again = await world.logged_in(ANA)

    assert shut == UserIsDeactivated(user_id=user.user_id, sessions_ended=2)
    assert listed == Rejected.because(Code.INVALID_TOKEN)
    assert refused == Rejected.because(Code.INVALID_CREDENTIALS)
    assert opened == UserIsActive(user_id=user.user_id)
    events = (await world.events())[3:]
    assert [type(each) for each in events[:4]] == [
        UserDeactivated,
        SessionEnded,
        SessionEnded,
        UserReactivated,
    ]
    assert {each.actor for each in events[:4]} == {"operator"}
    assert again.session_id not in {one.session_id, two.session_id}
    states = await world.rows(
        "SELECT convert_from(payload, 'UTF8')::json ->> 'status' AS status FROM outbox "
        "WHERE aggregatetype = 'state.users.v1' ORDER BY position"
    )
    assert [each["status"] for each in states] == ["active", "deactivated", "active"]


async def test_a_user_is_no_administrator_and_an_administrator_not_after_the_role_is_gone(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        ana, root = await registered(world, ANA), await registered(world, ROOT)
        token = (await world.logged_in(ROOT)).access_token

        def shut() -> DeactivateUser:
            return DeactivateUser(access_token=token, user_id=ana.user_id)

        as_user = await web.ask(web.draft(shut()))
        await roles(world, "admin")
        as_admin = await web.ask(web.draft(shut()))
        await roles(world, "")
        afterwards = await web.ask(web.draft(shut()))

    assert as_user == afterwards == Rejected.because(Code.FORBIDDEN)
    assert as_admin == UserIsDeactivated(user_id=ana.user_id, sessions_ended=0)
    (event,) = [each for each in await world.events() if isinstance(each, UserDeactivated)]
    assert event.actor == f"admin:{root.user_id}"


async def roles(world: World, names: str) -> None:
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE users SET roles = :names"), {"names": names})


async def test_an_operators_proof_is_good_for_no_second_command(world: World) -> None:
    web = world.web
    async with world.consuming():
        user = await registered(world, ANA)
        token = (await world.logged_in(ANA)).access_token
        draft, last = by_operator(world, shutting(user)), by_operator(world, opening(user))
        other = web.draft(with_anothers_proof(world, user))
        answers = [await web.ask(each) for each in (draft, draft, other, last)]
        mine = await web.ask(web.draft(ListSessions(access_token=token)))

    first, again, replayed, opened = answers
    assert first == again == UserIsDeactivated(user_id=user.user_id, sessions_ended=1)
    assert replayed == Rejected.because(Code.INVALID_TOKEN)
    assert opened == UserIsActive(user_id=user.user_id)
    assert mine == Rejected.because(Code.INVALID_TOKEN)


def shutting(user: Registered) -> Callable[[SecretStr], DeactivateUser]:
    return lambda proof: DeactivateUser(access_token=proof, user_id=user.user_id, reason="abuse")


def opening(user: Registered) -> Callable[[SecretStr], ReactivateUser]:
    return lambda proof: ReactivateUser(access_token=proof, user_id=user.user_id)


def with_anothers_proof(world: World, user: Registered) -> DeactivateUser:
    found: list[DeactivateUser] = []

    def make(proof: SecretStr) -> DeactivateUser:
        found.append(DeactivateUser(access_token=proof, user_id=user.user_id))
        return found[0]

    by_operator(world, make)
    return found[0]


async def test_log_ins_beside_a_deactivation_leave_no_live_session(world: World) -> None:
    web = world.web
    async with world.consuming():
        user = await registered(world, ANA)
        log_ins = [
            web.draft(LogIn(email=ANA, password=PASSWORD), key=new_id().bytes) for _ in range(20)
        ]
        shut = by_operator(world, shutting(user))
        await asyncio.gather(*(web.send(each) for each in [*log_ins[:10], shut, *log_ins[10:]]))
        answers = [(await web.heard(each, 1))[0] for each in log_ins]

    assert all(isinstance(each, LoggedIn | Rejected) for each in answers)
    (live,) = await world.rows("SELECT count(*) AS n FROM sessions WHERE ended_at IS NULL")
    assert live["n"] == 0
