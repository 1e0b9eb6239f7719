import asyncio
from uuid import UUID

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from authbus import (
    Code,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    Registered,
    RegisterUser,
    Rejected,
    SessionEnded,
    SessionStarted,
    UserCreated,
)
from authbus_service.core.ids import new_id
from tests.rig.world import World

EMAIL = "ana@example.com"
PASSWORD = SecretStr("correct horse battery")


def a_register(email: str = EMAIL, password: SecretStr = PASSWORD) -> RegisterUser:
    return RegisterUser(email=email, password=password)


def a_log_in(email: str = EMAIL, password: SecretStr = PASSWORD) -> LogIn:
    return LogIn(email=email, password=password)


async def test_a_user_registers_logs_in_and_logs_out(world: World) -> None:
    web = world.web
    async with world.consuming():
        registered = await web.ask(web.draft(a_register()))
        session = await web.ask(web.draft(a_log_in()))
        assert isinstance(registered, Registered)
        assert isinstance(session, LoggedIn)
        over = LogOut(session_id=session.session_id, refresh_token=session.refresh_token)
        logged_out = await web.ask(web.draft(over))

    assert logged_out == LoggedOut(session_id=session.session_id)
    created, started, ended = await world.events()
    assert isinstance(created, UserCreated)
    assert isinstance(started, SessionStarted)
    assert isinstance(ended, SessionEnded)
    assert {created.user_id, started.user_id, ended.user_id} == {registered.user_id}
    assert [created.sequence, started.sequence, ended.sequence] == [1, 2, 3]


async def test_a_command_delivered_twice_has_one_effect_and_one_answer(world: World) -> None:
    web = world.web
    draft = web.draft(a_register())

    async with world.consuming():
        first = await web.ask(draft)
        second = await web.ask(draft)

    assert first == second
    assert len(await world.events()) == 1


async def test_the_same_command_sealed_anew_gets_the_same_tokens(world: World) -> None:
    web = world.web
    command_id = new_id()

    async with world.consuming():
        await web.ask(web.draft(a_register()))
        first = await web.ask(web.draft(a_log_in(), id_=command_id))
        again = web.draft(a_log_in(), id_=command_id)
        await web.send(again)
        second = web.read((await _nth(world, command_id, 2)), again)

    assert isinstance(first, LoggedIn)
    assert second == first
    assert len(await world.events()) == 2


async def test_the_same_id_with_other_content_is_a_mismatch(world: World) -> None:
    web = world.web
    command_id = new_id()

    async with world.consuming():
        await web.ask(web.draft(a_register(), id_=command_id))
        other = await web.ask(web.draft(a_register(email="eve@example.com"), id_=command_id))

    assert other == Rejected.because(Code.IDEMPOTENCY_MISMATCH)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, SecretStr("wrong horse battery")),
        ("nobody@example.com", PASSWORD),
        (EMAIL, SecretStr("")),
        (EMAIL, SecretStr("x" * 2000)),
        ("no address at all", PASSWORD),
    ],
)
async def test_unknown_and_wrong_are_one_answer(
    world: World, email: str, password: SecretStr
) -> None:
    web = world.web
    async with world.consuming():
        await web.ask(web.draft(a_register()))

        answer = await web.ask(web.draft(a_log_in(email, password)))

    assert answer == Rejected.because(Code.INVALID_CREDENTIALS)


async def test_an_address_in_other_letters_is_the_same_account(world: World) -> None:
    web = world.web
    async with world.consuming():
        await web.ask(web.draft(a_register()))

        taken = await web.ask(web.draft(a_register(email="ANA@Example.COM")))
        session = await web.ask(web.draft(a_log_in(email="Ana@example.com")))

    assert taken == Rejected.because(Code.EMAIL_TAKEN)
    assert isinstance(session, LoggedIn)


async def test_a_log_out_needs_the_sessions_own_token(world: World) -> None:
    web = world.web
    async with world.consuming():
        await web.ask(web.draft(a_register()))
        session = await web.ask(web.draft(a_log_in()))
        other = await web.ask(web.draft(a_log_in()))
        assert isinstance(session, LoggedIn)
        assert isinstance(other, LoggedIn)

        stolen = LogOut(session_id=session.session_id, refresh_token=other.refresh_token)
        refused = await web.ask(web.draft(stolen))
        unknown = LogOut(session_id=new_id(), refresh_token=other.refresh_token)
        absent = await web.ask(web.draft(unknown))

    assert refused == absent == Rejected.because(Code.INVALID_TOKEN)
    assert len(await world.events()) == 3


async def _nth(world: World, command_id: UUID, count: int) -> ConsumerRecord[bytes, bytes]:

    for _ in range(200):
        if len(world.web.answers(command_id)) >= count:
            break
        await asyncio.sleep(0.05)
    return world.web.answers(command_id)[count - 1]
