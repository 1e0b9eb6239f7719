"""A secret is in no file of the broker, of PostgreSQL or of the log, in no form; an address only in
PostgreSQL and on the topic of users' states.
"""

import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text

from authbus import AuthClient, AuthRejected
from authbus_service.core.database import connect
from authbus_service.core.migrations import migrate
from authbus_service.demo.child import running
from authbus_service.embedded import Addresses, EmbeddedStack
from tests.rig.canary import forms, sightings

STATE = "auth.state.users.v1-"
COMMANDS = "auth.commands.credentials.v1"


def a_secret() -> str:
    return f"canary+{uuid4().hex}/{uuid4().hex[:7]}"


@pytest.mark.parametrize("before", [b"", b"a", b"ab", b"abc"])
@pytest.mark.parametrize("behind", [b"", b"z", b"zy"])
def test_a_text_is_found_in_each_form_whatever_stands_beside_it(
    tmp_path: Path, before: bytes, behind: bytes
) -> None:
    canary = a_secret()
    whole = before + canary.encode() + behind
    encodings = [
        whole,
        whole.hex().encode(),
        base64.b64encode(whole),
        base64.urlsafe_b64encode(whole),
        canary.replace("+", "%2B").replace("/", "%2F").encode(),
    ]
    for number, encoded in enumerate(encodings):
        (tmp_path / f"{number}.bin").write_bytes(b"\x01..." + encoded + b"\xff")

    assert {path for _, path in sightings(tmp_path, {"it": canary})} == {
        f"{number}.bin" for number in range(len(encodings))
    }
    assert sightings(tmp_path, {"other": a_secret()}) == set()
    assert all(len(form) >= len(canary) - 2 for form in forms(canary))


@asynccontextmanager
async def a_service(folder: Path) -> AsyncGenerator[tuple[AuthClient, Addresses]]:
    """Servers of its own, whose files are below the folder."""
    async with EmbeddedStack(data=folder / "servers") as stack:
        (folder / "clients.toml").write_text('[[client]]\nid = "web"\n')
        database = connect(stack.addresses.database_url)
        await migrate(database)
        await database.close()
        settings = {
            "KAFKA_BOOTSTRAP_SERVERS": stack.addresses.bootstrap_servers,
            "DATABASE_URL": stack.addresses.database_url,
            "AUTHBUS_TOPICS": "apply",
            "AUTHBUS_CLIENTS": str(folder / "clients.toml"),
            "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
            "AUTHBUS_HTTP_PORT": "0",
            "AUTHBUS_LOG_LEVEL": "debug",
            "AUTHBUS_ARGON2_MEMORY_KIB": "64",
        }
        async with running(settings, folder / "service.log") as told:
            servers, trust = str(told["kafka"]), str(told["trust"])
            async with AuthClient(servers, client_id="web", trust=trust) as auth:
                yield auth, stack.addresses


async def a_life(auth: AuthClient, email: str) -> dict[str, str]:
    """Everything that a user does, right and wrong; returns the secrets that were about."""
    secrets = {"password": a_secret(), "wrong password": a_secret(), "wrong token": a_secret()}
    await auth.register(email, secrets["password"])
    with pytest.raises(AuthRejected):
        await auth.register(email, secrets["wrong password"])
    with pytest.raises(AuthRejected):
        await auth.log_in(email, secrets["wrong password"])
    sessions = [await auth.log_in(email, secrets["password"]) for _ in range(3)]
    token = sessions[0].access_token
    sessions.append(await auth.refresh(sessions[0]))
    await auth.sessions.list(token)
    await auth.sessions.end(token, sessions[1].session_id)
    with pytest.raises(AuthRejected):
        await auth.sessions.list(secrets["wrong token"])
    await auth.log_out(sessions[2])
    await auth.sessions.end_all(token, this_one_too=True)
    for number, session in enumerate(sessions):
        secrets[f"access token {number}"] = session.access_token
        secrets[f"refresh token {number}"] = session.refresh_token
    return secrets


async def test_secrets_are_in_no_file_and_addresses_only_where_they_belong(tmp_path: Path) -> None:
    email = f"canary-{uuid4().hex}@example.com"
    planted = {"on a topic": a_secret(), "in a table": a_secret()}

    async with a_service(tmp_path) as (auth, addresses):
        secrets = await a_life(auth, email)
        await plant(addresses, planted["on a topic"], planted["in a table"])

    seen = sightings(tmp_path, {**secrets, **planted, "e-mail": email})
    places = {name: {path for each, path in seen if each == name} for name, _ in seen}
    assert any(COMMANDS in path for path in places.pop("on a topic"))
    assert any("postgres" in path for path in places.pop("in a table"))
    at = places.pop("e-mail")
    assert any(STATE in path for path in at)
    assert {path for path in at if STATE not in path and "postgres" not in path} == set()
    assert places == {}


async def plant(addresses: Addresses, on_a_topic: str, in_a_table: str) -> None:
    """Proof that the search can see: one text in the broker's files, one in PostgreSQL's."""
    producer = AIOKafkaProducer(bootstrap_servers=addresses.bootstrap_servers)
    await producer.start()
    await producer.send_and_wait(COMMANDS, on_a_topic.encode())
    await producer.stop()
    database = connect(addresses.database_url)
    async with database.transaction() as db:
        await db.execute(text("CREATE TABLE planted (it text)"))
        await db.execute(text("INSERT INTO planted VALUES (:it)"), {"it": in_a_table})
    await database.close()
