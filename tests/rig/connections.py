"""The connections that PostgreSQL has from others than who counts, and how many it is to have."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

_OPERATIONS = Path(__file__).resolve().parents[2] / "deploy" / "operations.md"
_COUNT = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
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


async def _look(url: str, counts: list[int]) -> None:
    db = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        while True:
            counts.append(await db.fetchval(_COUNT))
            await asyncio.sleep(_PAUSE)
    finally:
        await db.close()
