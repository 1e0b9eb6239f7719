"""What is left of an erased user in the files of Kafka, of PostgreSQL and of its log."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from authbus.client import Session
from authbus.topics import USERS_STATE
from authbus_service.cluster import Admin
from tests.rig.canary import sightings
from tests.rig.life import Life
from tests.rig.living import living

STATE = USERS_STATE.name("auth")
# A day of compaction in a moment.
HASTY = {
    "cleanup.policy": "compact",
    "segment.ms": "50",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "0",
    "max.compaction.lag.ms": "100",
    "file.delete.delay.ms": "0",
}
# Less to look through.
SMALL = {"log.cleaner.backoff.ms": "100", "log.index.size.max.bytes": "65536"}
# A file of the log that is used again holds what it held until it is written over.
NONE_USED_AGAIN = "ALTER SYSTEM SET wal_recycle = off", "SELECT pg_reload_conf()"
LOG_ENDS = "CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"
_TABLES = """
SELECT oid::regclass::text FROM pg_class
WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'pg_catalog'::regnamespace)
"""


async def somebody(life: Life) -> tuple[dict[str, str], Session, str]:
    """Somebody with an address, a device and a profile; all that is theirs first."""
    before, password = {*life.personal}, life.secret("password")
    _, _, session = await life.born(password)
    await life.profile(session)
    theirs = {name: each for name, each in life.personal.items() if name not in before}
    return theirs, session, password


async def compacted(servers: str, folder: Path, theirs: Mapping[str, str]) -> None:
    """Wait until the cleaner came; what was written last is never cleaned, so something follows."""

    def lies() -> bool:
        return any(sightings(each, theirs) for each in folder.glob(f"**/{STATE}-*"))

    async with AIOKafkaProducer(bootstrap_servers=servers) as producer, asyncio.timeout(60):
        partitions = await producer.partitions_for(STATE)
        while lies():
            for each in partitions:
                await producer.send_and_wait(STATE, None, str(uuid4()).encode(), each)
            await asyncio.sleep(0.1)


async def done(url: str, *statements: str) -> None:
    """Each in no transaction."""
    db = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        for each in statements:
            await db.execute(each)
    finally:
        await db.close()


async def rows_with(url: str, theirs: Mapping[str, str]) -> set[str]:
    """The tables in which a row holds anything of it, those of PostgreSQL itself too."""
    db = await asyncpg.connect(url.replace("+asyncpg", ""))
    like = [f"%{form}%" for each in theirs.values() for form in (each, each.encode().hex())]
    try:
        return {
            table
            for (table,) in await db.fetch(_TABLES)
            if await db.fetch(f"SELECT FROM {table} t WHERE t::text LIKE ANY ($1) LIMIT 1", like)
        }
    finally:
        await db.close()


def places(folder: Path, theirs: Mapping[str, str]) -> dict[str, set[str]]:
    """What is held below this folder, and by which files."""
    found: dict[str, set[str]] = {}
    for name, path in sightings(folder, theirs):
        found.setdefault(name, set()).add(path)
    return found


@pytest.mark.slow
async def test_no_file_holds_a_word_of_an_erased_user_when_all_that_is_kept_for_a_time_is_gone(
    tmp_path: Path,
) -> None:
    async with living(tmp_path, broker_config=SMALL) as (life, at):
        async with Admin.connect(at.bootstrap_servers, {}) as admin:
            await admin.set(STATE, HASTY)
        await done(at.database_url, *NONE_USED_AGAIN)
        ana, session, password = await somebody(life)
        ben, _, _ = await somebody(life)
        await done(at.database_url, "ANALYZE", "CHECKPOINT")
        of_both = places(tmp_path, ana | ben)
        rows_before = await rows_with(at.database_url, ana)

        await life.auth.account.erase(session.access_token, password)
        await compacted(at.bootstrap_servers, tmp_path, ana)
        await done(at.database_url, "VACUUM (ANALYZE)")
        rows_after = await rows_with(at.database_url, ana)
        await done(at.database_url, "VACUUM (FULL)", *LOG_ENDS)
        left = places(tmp_path, ana | ben)

    for name in ana | ben:
        for where in ("postgres/owned/data/base", "pg_wal"):
            assert any(where in path for path in of_both[name])
    assert any(STATE in path for name in ana for path in of_both[name])
    assert {"users", "emails", "sessions", "pg_statistic"} <= rows_before
    assert rows_after == set()
    assert left.keys() == ben.keys()
