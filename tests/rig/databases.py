"""An empty database on the worker's PostgreSQL."""

from uuid import uuid4

import asyncpg

from authbus_service.embedded import Addresses


async def empty_database(addresses: Addresses) -> str:
    """Make one; returns its address."""
    name = f"t{uuid4().hex[:8]}"
    db = await asyncpg.connect(addresses.database_url.replace("+asyncpg", ""))
    try:
        await db.execute(f"CREATE DATABASE {name}")
    finally:
        await db.close()
    return addresses.database_url.rpartition("/")[0] + f"/{name}"
