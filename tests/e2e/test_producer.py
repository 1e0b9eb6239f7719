"""A producer, a downstream module and a verifier against a service in a process of its own."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from authbus import (
    AuthClient,
    EventStream,
    SessionEnded,
    SessionStarted,
    UserCreated,
    Verifier,
)
from authbus.errors import AuthRejected, TokenRevoked
from authbus.uuid7 import uuid7
from tests.e2e.conftest import Serving

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
# Asks once and says so; whoever runs it kills it before an answer is read.
ASK_ONCE = """
import asyncio, sys
from uuid import UUID
from authbus import AuthClient

async def main(servers, namespace, trust, command_id):
    async with AuthClient(servers, client_id="web", namespace=namespace, trust=trust) as auth:
        print("ready", flush=True)
        sys.stdin.readline()
        await auth.log_in("ana@example.com", "correct horse battery", command_id=UUID(command_id))
        print("answered", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def a_client(serving: Serving) -> AuthClient:
    return AuthClient(
        serving.servers, client_id="web", namespace=serving.namespace, trust=serving.trust
    )


async def rows(serving: Serving, sql: str) -> list[dict[str, Any]]:
    async with serving.database.reading() as db:
        return [dict(row) for row in (await db.execute(text(sql))).mappings()]


async def test_a_downstream_hears_each_event_once_and_in_order(serving: Serving) -> None:
    heard: list[object] = []

    async def listen() -> None:
        stream = EventStream(
            serving.servers, group=f"{serving.namespace}-billing", namespace=serving.namespace
        )
        async for event in stream:
            heard.append(event.data)
            if len(heard) == 3:
                return

    listening = asyncio.create_task(listen())
    async with a_client(serving) as auth:
        user = await auth.register(EMAIL, PASSWORD)
        session = await auth.log_in(EMAIL, PASSWORD)
        with pytest.raises(AuthRejected) as refused:
            await auth.log_in(EMAIL, "not this one")
        await auth.log_out(session)
    await asyncio.wait_for(listening, 20)

    assert refused.value.code == "invalid_credentials"
    created, started, ended = heard
    assert isinstance(created, UserCreated)
    assert isinstance(started, SessionStarted)
    assert isinstance(ended, SessionEnded)
    assert [created.sequence, started.sequence, ended.sequence] == [1, 2, 3]
    assert created.user_id == started.user_id == ended.user_id == user.user_id
    assert started.session_id == ended.session_id == session.session_id


async def test_a_verifier_refuses_a_token_soon_after_its_session_ended(serving: Serving) -> None:
    async with (
        a_client(serving) as auth,
        Verifier(
            serving.servers, audience="web", namespace=serving.namespace, trust=serving.trust
        ) as verifier,
    ):
        user = await auth.register(EMAIL, PASSWORD)
        session = await auth.log_in(EMAIL, PASSWORD)
        claims = verifier.verify(session.access_token)
        await auth.log_out(session)

        async with asyncio.timeout(2):
            while True:
                try:
                    verifier.verify(session.access_token)
                except TokenRevoked:
                    break
                await asyncio.sleep(0.02)

    assert (claims.user_id, claims.session_id) == (user.user_id, session.session_id)


async def test_a_refreshed_session_goes_on_with_new_tokens(serving: Serving) -> None:
    async with a_client(serving) as auth:
        await auth.register(EMAIL, PASSWORD)
        first = await auth.log_in(EMAIL, PASSWORD)
        second = await auth.refresh(first)
        third = await auth.refresh(second)
        claims = auth.verify(third.access_token)
        with pytest.raises(AuthRejected) as refused:
            await auth.refresh(first)
        with pytest.raises(AuthRejected):
            await auth.refresh(third)

    assert refused.value.code == "invalid_token"
    assert claims.session_id == first.session_id == third.session_id
    assert third.device_token == first.device_token
    assert len({each.refresh_token for each in (first, second, third)}) == 3


async def test_a_killed_producers_command_is_asked_again_by_another_process(
    serving: Serving,
) -> None:
    command_id = uuid7()
    async with a_client(serving) as auth:
        await auth.register(EMAIL, PASSWORD)
        await kill_before_the_reply(serving, command_id)

        session = await auth.log_in(EMAIL, PASSWORD, command_id=command_id)
        again = await auth.log_in(EMAIL, PASSWORD, command_id=command_id)
        claims = auth.verify(session.access_token)

    stored = await rows(serving, "SELECT id, user_id FROM sessions")
    assert stored == [{"id": session.session_id, "user_id": session.user_id}]
    assert again == session
    assert claims.session_id == session.session_id


async def kill_before_the_reply(serving: Serving, command_id: UUID) -> None:
    """Let a process ask, stop it as soon as the effect is there, kill it."""
    arguments = (serving.servers, serving.namespace, serving.trust, str(command_id))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASK_ONCE, *arguments, stdin=PIPE, stdout=PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), 20) == b"ready\n"
    child.stdin.write(b"\n")
    await child.stdin.drain()
    async with asyncio.timeout(20):
        while not await rows(serving, "SELECT 1 FROM sessions"):
            pass
    child.send_signal(signal.SIGKILL)
    await child.wait()
