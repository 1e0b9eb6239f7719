"""AuthClient against a real Kafka: answers, refusals, time-outs, retries."""

import asyncio
import signal
import sys
from uuid import uuid4

import pytest

from authbus import AuthRejected, AuthTimeout, AuthUnavailable, Code, LogIn, TokenRevoked
from authbus.uuid7 import uuid7
from tests.integration.client.conftest import NewClient
from tests.integration.client.stand_in import StandIn, until

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"


async def test_a_user_registers_logs_in_and_logs_out_and_its_token_is_verified_offline(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client() as auth:
        user = await auth.register(EMAIL, PASSWORD)
        session = await auth.log_in(email=EMAIL, password=PASSWORD)
        claims = auth.verify(session.access_token)
        await auth.log_out(session)
        with pytest.raises(TokenRevoked):
            auth.verify(session.access_token)

    assert (claims.user_id, claims.session_id) == (session.user_id, session.session_id)
    assert [command.type.split(".")[1] for command in service.commands] == [
        "RegisterUser",
        "LogIn",
        "LogOut",
    ]
    assert user.user_id.version == 5
    assert session.access_token not in repr(session)
    assert session.refresh_token not in repr(session)


async def test_a_refusal_is_raised_with_its_code(service: StandIn, new_client: NewClient) -> None:
    async with new_client() as auth:
        with pytest.raises(AuthRejected) as raised:
            await auth.log_in(EMAIL, "wrong")

    refused = raised.value
    assert (refused.code, refused.retryable) == (Code.INVALID_CREDENTIALS, False)
    assert refused.command_id == service.commands[0].id


async def test_what_could_never_be_asked_is_refused_without_asking_and_not_repeated(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client() as auth:
        with pytest.raises(AuthRejected) as raised:
            await auth.register("x", "canary" * 1000)

    assert raised.value.code is Code.INVALID
    assert "email" in raised.value.detail
    assert "canary" not in f"{raised.value}{raised.value.__context__!r}"
    assert service.commands == []


async def test_a_password_of_the_widest_letters_is_sent_as_it_is(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client() as auth:
        await auth.log_in(EMAIL, "\U0001f600" * 4096)

    assert service.commands[0].data["password"] == "\U0001f600" * 4096


@pytest.mark.parametrize("made_from", ["\U0001f600" * 4096, "canary \ud83d"])
async def test_secrets_that_no_record_can_hold_are_refused_without_asking(
    service: StandIn, new_client: NewClient, made_from: str
) -> None:
    async with new_client() as auth:
        with pytest.raises(AuthRejected) as raised:
            await auth.passwords.change(made_from, made_from, made_from)

    assert raised.value.code is Code.INVALID
    assert "canary" not in f"{raised.value}{raised.value.__context__!r}"
    assert service.commands == []


async def test_a_busy_service_is_asked_again_with_the_same_bytes(
    service: StandIn, new_client: NewClient
) -> None:
    service.busy = 2

    async with new_client() as auth:
        await auth.register(EMAIL, PASSWORD)

    assert len(service.values) == 3
    assert len(set(service.values)) == 1


async def test_a_service_that_stays_busy_is_told_as_such_when_the_time_is_up(
    service: StandIn, new_client: NewClient
) -> None:
    service.busy = 1000

    async with new_client() as auth:
        with pytest.raises(AuthRejected) as raised:
            await auth.register(EMAIL, PASSWORD, timeout=1.5)

    assert (raised.value.code, raised.value.retryable) == (Code.BUSY, True)


async def test_after_a_time_out_another_client_asks_with_the_same_id_and_reads_the_answer(
    service: StandIn, new_client: NewClient
) -> None:
    service.mute = True
    async with new_client() as first:
        with pytest.raises(AuthTimeout) as raised:
            await first.log_in(EMAIL, PASSWORD, timeout=0.3)
    service.mute = False

    async with new_client() as second:
        session = await second.log_in(EMAIL, PASSWORD, command_id=raised.value.command_id)

    one, two = service.commands
    assert (one.id, one.time, one.data) == (two.id, two.time, two.data)
    assert service.values[0] != service.values[1]
    assert session.access_token


KILLED = """
import asyncio, sys
from uuid import UUID
from authbus import AuthClient

async def main(servers, namespace, command_id):
    async with AuthClient(servers, client_id="web", namespace=namespace) as auth:
        await auth.log_in("ana@example.com", "correct horse battery", command_id=UUID(command_id))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_process_that_was_killed_before_the_reply_is_replaced_by_another(
    service: StandIn, new_client: NewClient
) -> None:
    service.mute = True
    command_id = uuid7()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, service.servers, service.namespace, str(command_id)
    )
    await until(lambda: len(service.commands) == 1)
    child.send_signal(signal.SIGKILL)
    await child.wait()
    service.mute = False

    async with new_client() as auth:
        session = await auth.log_in(EMAIL, PASSWORD, command_id=command_id)
        again = await auth.log_in(EMAIL, PASSWORD, command_id=command_id)

    assert session.session_id == again.session_id
    assert {command.id for command in service.commands} == {command_id}


async def test_many_calls_are_in_flight_at_once_and_each_gets_its_own_answer(
    service: StandIn, new_client: NewClient
) -> None:
    ids = [uuid7() for _ in range(200)]

    async with new_client() as one, new_client() as two:
        sessions = await asyncio.gather(
            *(
                (one, two)[number % 2].log_in(EMAIL, PASSWORD, command_id=command_id)
                for number, command_id in enumerate(ids)
            )
        )

    assert len({session.session_id for session in sessions}) == 200
    assert {command.id for command in service.commands} == set(ids)


async def test_commands_about_one_address_share_a_lane_that_does_not_tell_the_address(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client(lane_secret=b"shared") as one, new_client(lane_secret=b"shared") as two:
        await one.register(EMAIL, PASSWORD)
        await two.log_in(" Ana@Example.com ", PASSWORD)
        await two.log_in("bob@example.com", PASSWORD)

    first, second, other = service.keys
    assert first == second != other
    assert b"ana" not in first


async def test_any_command_is_sent_with_a_correlation_id_of_the_callers_choice(
    service: StandIn, new_client: NewClient
) -> None:
    command = LogIn.model_validate({"email": EMAIL, "password": PASSWORD})

    async with new_client() as auth:
        reply = await auth.send(command, key="mine", correlation_id="request-7")

    assert type(reply).__name__ == "LoggedIn"
    assert service.commands[0].correlation_id == "request-7"


async def test_an_id_that_carries_no_time_is_a_mistake(
    service: StandIn, new_client: NewClient
) -> None:
    async with new_client() as auth:
        with pytest.raises(ValueError, match="UUIDv7"):
            await auth.register(EMAIL, PASSWORD, command_id=uuid4())

    assert service.commands == []


async def test_closing_a_client_ends_its_calls_at_once_and_tells_how_to_ask_again(
    service: StandIn, new_client: NewClient
) -> None:
    service.mute = True
    async with new_client() as auth:
        call = asyncio.create_task(auth.register(EMAIL, PASSWORD))
        await until(lambda: len(service.commands) == 1)

    # It may have been handled: under another id it would have a second effect.
    with pytest.raises(AuthTimeout) as raised:
        await call
    assert raised.value.command_id == service.commands[0].id
    with pytest.raises(AuthUnavailable, match="not open"):
        await auth.register(EMAIL, PASSWORD)


async def test_a_client_that_was_never_opened_says_so_at_once(new_client: NewClient) -> None:
    async with asyncio.timeout(2):
        with pytest.raises(AuthUnavailable, match="not open"):
            await new_client().register(EMAIL, PASSWORD)
