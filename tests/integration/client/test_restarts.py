"""Clients over a broker that dies and comes back: they go on by themselves."""

import asyncio
import time
from uuid import uuid4

import pytest

from authbus import AuthError, AuthTimeout, topics
from authbus.uuid7 import uuid7
from authbus_service.embedded import EmbeddedStack
from tests.integration.client.conftest import NewClient, NewStream, NewVerifier
from tests.integration.client.stand_in import StandIn, created

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"


@pytest.mark.gate
async def test_calls_events_and_ended_sessions_go_on_after_the_broker_was_killed(
    stack: EmbeddedStack,
    service: StandIn,
    new_client: NewClient,
    new_stream: NewStream,
    new_verifier: NewVerifier,
) -> None:
    user_id, session_id, command_id = uuid4(), uuid4(), uuid7()
    async with (
        asyncio.timeout(60),
        new_client() as auth,
        new_verifier(on_stale="accept") as verifier,
        new_stream() as stream,
    ):
        events = aiter(stream)
        await service.tell(topics.EVENTS, str(user_id), created(user_id, 1))
        assert (await anext(events)).sequence == 1
        service.mute = True
        with pytest.raises(AuthTimeout):
            await auth.log_in(EMAIL, PASSWORD, command_id=command_id, timeout=0.5)

        await stack.kill_kafka()
        waiting = asyncio.create_task(anext(events))
        again = auth.log_in(EMAIL, PASSWORD, command_id=command_id, timeout=45)
        called = asyncio.create_task(again)
        await asyncio.sleep(1)
        service.mute = False
        await stack.restart_kafka()

        assert (await called).access_token
        await service.tell(topics.EVENTS, str(user_id), created(user_id, 2))
        assert (await waiting).sequence == 2
        await service.end(session_id)
        while True:
            try:
                verifier.verify(service.token(session_id))
            except AuthError:
                break
            await asyncio.sleep(0.05)


@pytest.mark.gate
async def test_a_broker_that_stays_away_neither_hangs_a_call_nor_the_leaving_of_a_client(
    stack: EmbeddedStack, service: StandIn, new_client: NewClient, new_stream: NewStream
) -> None:
    async with asyncio.timeout(60):
        auth, stream = new_client(timeout=2), new_stream(timeout=2)
        await stream.__aenter__()
        await auth.__aenter__()
        try:
            await stack.kill_kafka()
            started = time.monotonic()
            with pytest.raises(AuthTimeout):
                await auth.register(EMAIL, PASSWORD, timeout=1)
            assert time.monotonic() - started < 2
            await auth.__aexit__(None, None, None)
            assert time.monotonic() - started < 10
            await stream.__aexit__(None, None, None)
            assert time.monotonic() - started < 20
        finally:
            await stack.restart_kafka()


@pytest.mark.gate
async def test_a_call_outlives_a_broker_that_is_away_for_longer_than_a_send_is_tried(
    stack: EmbeddedStack, service: StandIn, new_client: NewClient
) -> None:
    async with asyncio.timeout(60), new_client(timeout=2) as auth:
        await stack.kill_kafka()
        called = asyncio.create_task(auth.log_in(EMAIL, PASSWORD, timeout=30))
        try:
            await asyncio.sleep(5)
        finally:
            await stack.restart_kafka()

        assert (await called).access_token

    assert len({command.id for command in service.commands}) == 1
