"""Service accounts on real servers: machines that log in by a secret, and what ends that."""

import asyncio
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from authbus import (
    ChangePassword,
    Code,
    CreateServiceAccount,
    DeactivateUser,
    EraseAccount,
    EraseUser,
    FindUsers,
    FoundUsers,
    GetProfile,
    GrantRole,
    ListSessions,
    LogInService,
    ReactivateUser,
    Rejected,
    ResendVerification,
    ServiceLoggedIn,
    ServiceSecret,
    SessionList,
    SessionStarted,
    UserCreated,
    UserKind,
    UserProfile,
    UserState,
    signing,
)
from authbus.commands import AnyCommand
from authbus_service.core.ids import new_id
from tests.rig.machines import NAME, ask, by_proof, log_in, made
from tests.rig.operators import by_operator
from tests.rig.world import World

NO = Rejected.because(Code.INVALID_CREDENTIALS)
EMPTY = SecretStr("")


async def test_a_machine_gets_tokens_by_its_secret_with_the_permissions_of_its_roles(
    world: World,
) -> None:
    async with world.consuming():
        draft = by_operator(world, lambda by: CreateServiceAccount(access_token=by, name=NAME))
        service, again = [await world.web.ask(draft) for _ in range(2)]
        assert isinstance(service, ServiceSecret)
        user_id = service.user_id
        await by_proof(world, lambda by: GrantRole(access_token=by, user_id=user_id, role="admin"))
        first, second = [await log_in(world, service) for _ in range(2)]
        assert isinstance(first, ServiceLoggedIn)
        assert isinstance(second, ServiceLoggedIn)
        found = await ask(world, FindUsers(access_token=first.access_token))
        listed = await ask(world, ListSessions(access_token=first.access_token))
        profile = await ask(world, GetProfile(access_token=first.access_token))

    assert again == service
    claims = signing.take_apart(first.access_token.get_secret_value()).body
    assert (claims["sub"], claims["roles"]) == (str(user_id), ["admin"])
    assert "services:write" in claims["scope"].split()
    assert first.session_id != second.session_id
    assert isinstance(found, FoundUsers)
    assert [(each.kind, each.email) for each in found.users] == [(UserKind.SERVICE, None)]
    assert isinstance(listed, SessionList)
    assert {each.expires_at for each in listed.sessions} == {
        each.access_token_expires_at for each in (first, second)
    }
    assert isinstance(profile, UserProfile)
    assert (profile.email, profile.profile.display_name) == (None, NAME)


async def test_what_is_told_of_a_machine_holds_neither_secret_nor_address(world: World) -> None:
    async with world.consuming():
        service = await made(world)
        await log_in(world, service)

    created, started = await world.events()
    assert isinstance(created, UserCreated)
    assert (created.kind, created.actor) == (UserKind.SERVICE, "operator")
    assert isinstance(started, SessionStarted)
    (state,) = await world.rows("SELECT payload FROM outbox WHERE type LIKE '%UserState%'")
    shown = UserState.model_validate_json(state["payload"])
    assert (shown.kind, shown.email, shown.profile.display_name) == (UserKind.SERVICE, None, NAME)
    secret = service.secret.get_secret_value()
    kept = [
        str(await world.rows(f"SELECT * FROM {table}"))
        for table in ("users", "codes", "inbox", "outbox", "sessions")
    ]
    assert not [each for each in kept if secret in each or secret.encode().hex() in each]


async def test_wrong_unknown_shut_and_erased_are_one_refusal(world: World) -> None:
    async with world.consuming():
        service, other, shut, erased = [await made(world) for _ in range(4)]
        await by_proof(world, lambda by: DeactivateUser(access_token=by, user_id=shut.user_id))
        await by_proof(world, lambda by: EraseUser(access_token=by, user_id=erased.user_id))
        wrong = SecretStr("none of this is known")
        refused = [
            await ask(world, LogInService(user_id=service.user_id, secret=wrong)),
            await ask(world, LogInService(user_id=service.user_id, secret=other.secret)),
            await ask(world, LogInService(user_id=new_id(), secret=service.secret)),
            await log_in(world, shut),
            await log_in(world, erased),
        ]
        await by_proof(world, lambda by: ReactivateUser(access_token=by, user_id=shut.user_id))
        opened = await log_in(world, shut)

    assert refused == [NO] * 5
    assert isinstance(opened, ServiceLoggedIn)


async def test_a_shut_machines_token_is_void_and_a_log_in_beside_it_leaves_no_session(
    world: World,
) -> None:
    web = world.web
    async with world.consuming():
        service = await made(world)
        session = await log_in(world, service)
        assert isinstance(session, ServiceLoggedIn)
        ask_in = LogInService(user_id=service.user_id, secret=service.secret)
        drafts = [web.draft(ask_in, key=new_id().bytes) for _ in range(20)]
        shut = by_operator(
            world, lambda by: DeactivateUser(access_token=by, user_id=service.user_id)
        )
        await asyncio.gather(*(web.send(each) for each in [*drafts[:10], shut, *drafts[10:]]))
        for draft in (*drafts, shut):
            await web.heard(draft, 1)
        later = await ask(world, ListSessions(access_token=session.access_token))

    assert later == Rejected.because(Code.INVALID_TOKEN)
    (live,) = await world.rows("SELECT count(*) AS n FROM sessions WHERE ended_at IS NULL")
    assert live["n"] == 0


ASKS: dict[str, tuple[Callable[[SecretStr], AnyCommand], Code]] = {
    "a mail to verify": (lambda by: ResendVerification(access_token=by), Code.FORBIDDEN),
    "another password": (
        lambda by: ChangePassword(access_token=by, current_password=EMPTY, new_password=by),
        Code.INVALID_CREDENTIALS,
    ),
    "its own end": (
        lambda by: EraseAccount(access_token=by, password=EMPTY),
        Code.INVALID_CREDENTIALS,
    ),
}


@pytest.mark.parametrize("what", ASKS)
async def test_a_machine_has_no_password_and_gets_no_mail(world: World, what: str) -> None:
    make, code = ASKS[what]
    async with world.consuming():
        session = await log_in(world, await made(world))
        assert isinstance(session, ServiceLoggedIn)
        refused = await ask(world, make(session.access_token))

    assert refused == Rejected.because(code)
    assert await world.rows("SELECT * FROM mails") == []
