"""The connections that a database has, but for those of this module, and how many it may have."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

_OPERATIONS = Path(__file__).resolve().parents[2] / "deploy" / "operations.md"
_ASIDE = "aside"
_COUNT = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    f" AND application_name <> '{_ASIDE}' AND backend_type = 'client backend'"
)
_PAUSE = 0.005


def told_at_most() -> int:
    """How many connections operators are told that a process has."""
    page = _OPERATIONS.read_text(encoding="utf-8")
    (named,) = re.findall(r"A process has (\d+)\s+connections\s+at\s+most", page)
    return int(named)


@asynccontextmanager
async def counting(url: str) -> AsyncGenerator[list[int]]:
    """For the length of a block: how many a database has, looked at again and again."""
    counts = [0]
    looking = asyncio.create_task(_look(url, counts))
    try:
        yield counts
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncGenerator[None]:
    """For the length of a block nobody else reads or writes this table: whoever asks waits."""
    async with _aside(url) as db, db.transaction():
        await db.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


async def _look(url: str, counts: list[int]) -> None:
    async with _aside(url) as db:
        while True:
            counts.append(await db.fetchval(_COUNT))
            await asyncio.sleep(_PAUSE)


@asynccontextmanager
async def _aside(url: str) -> "AsyncGenerator[asyncpg.Connection[Any]]":
    """A connection that is not counted."""
    settings = {"application_name": _ASIDE}
    db = await asyncpg.connect(url.replace("+asyncpg", ""), server_settings=settings)
    try:
        yield db
    finally:
        await db.close()
