"""However large a database is, it is recovered: what is read of it may take its time."""

import base64
import os
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from authbus_service.inbox import partitions
from authbus_service.recovery.report import Report
from authbus_service.startup.recovery import recovery
from authbus_service.startup.servers import Servers
from authbus_service.startup.topics import require_topics
from tests.rig.hurrying import hurry

MANY, LOST = 20_000, 1_200
AT = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
_USERS = text("""
    INSERT INTO users (id, sequence, status, password_hash, credential_version, created_at, email,
        email_verified, roles, devices, profile, second_factor)
    SELECT gen_random_uuid(), 1, 'active', '', 0, :at, number || '@example.com', true, '', '',
        '{"version": 0}', false
    FROM generate_series(1, 2000) number
""")
_SESSIONS = text("""
    INSERT INTO sessions (id, user_id, client_id, amr, family_hash, refresh_hash, started_at,
        last_used_at, authenticated_at, lapses_at, expires_at)
    SELECT gen_random_uuid(), owner.id, 'web', 'pwd',
        CASE WHEN number <= :lost THEN '\\x'::bytea ELSE sha256(number::text::bytea) END,
        sha256(number::text::bytea), :at, :at, :at, now() + interval '1 day',
        now() + interval '1 day'
    FROM generate_series(1, :many) number
    JOIN (SELECT id, row_number() OVER () AS place FROM users) owner
        ON owner.place = 1 + number % 2000
""")
_INBOX = text("""
    INSERT INTO inbox (time, id, digest, content, master, expires_at, handled_at, outcome)
    SELECT CAST(:at AS timestamptz) - number * interval '1 ms', gen_random_uuid(), '', '', 'm', :at,
        CAST(:at AS timestamptz) - number * interval '1 ms' + interval '3 s', '{}'
    FROM generate_series(0, :many) number
""")
LOST_STILL = "SELECT count(*) FROM sessions WHERE family_hash = '' AND ended_at IS NULL"


async def fill(database: Database) -> None:
    """With rows enough for a millisecond to be too short."""
    async with database.transaction() as db:
        await partitions.keep(db)
        await db.execute(_USERS, {"at": AT})
        await db.execute(_SESSIONS, {"at": AT, "many": MANY, "lost": LOST})
        await db.execute(_INBOX, {"at": AT, "many": MANY})


async def recovered_as_a_program_does(
    addresses: Addresses, namespace: str, database_url: str
) -> Report:
    settings = Settings(
        kafka_bootstrap_servers=addresses.bootstrap_servers,
        database_url=SecretStr(database_url),
        namespace=namespace,
        master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        argon2_memory_kib=8,
        argon2_time=1,
    )
    place = Servers(settings, own_kafka=True, own_database=False, stack=None)
    async with recovery(place, lambda _step, _done, _total: None) as begun:
        return await begun.run()


async def test_a_recovery_has_no_time_out_where_it_reads_all_that_is_there(
    addresses: Addresses,
    namespace: str,
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    servers = addresses.bootstrap_servers
    await require_topics(servers, {}, namespace=namespace, clients=EMBEDDED_CLIENTS, how="apply")
    await fill(database)
    hurry(monkeypatch, 1)

    report = await recovered_as_a_program_does(addresses, namespace, database_url)

    assert report.since == AT + timedelta(seconds=3) - timedelta(hours=1)
    async with database.reading() as db:
        assert await db.scalar(text(LOST_STILL)) == 0
        assert await db.scalar(text("SELECT count(*) FROM outbox")) == LOST * 2
        assert not await db.scalar(text("SELECT recovering FROM installation"))
