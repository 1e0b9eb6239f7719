"""A producer that dies, against a service in a process of its own."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from typing import Any
from uuid import UUID

from sqlalchemy import text

from authbus import AuthClient
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
