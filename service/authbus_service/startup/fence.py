"""The database is at least as new as Kafka's offsets: asked before anybody relays or consumes."""

from collections.abc import Iterable, Mapping
from typing import Any

from authbus_service.cluster import Admin
from authbus_service.consumers import DatabaseWentBackError
from authbus_service.core.database import Database
from authbus_service.inbox import fence


async def require_fence(
    database: Database,
    servers: str,
    security: Mapping[str, Any],
    *,
    namespace: str,
    groups: Iterable[str],
) -> None:
    """Raise DatabaseWentBackError when a group has committed more than the database knows.

    Offsets are read before the fence: a process that works meanwhile moves the fence first.
    """
    committed: dict[tuple[str, int], int] = {}
    async with Admin.connect(servers, security) as admin:
        for group in groups:
            committed |= await admin.committed(group)
    async with database.reading() as db:
        known = await fence.read(db)
    for (topic, partition), offset in committed.items():
        place = topic.removeprefix(f"{namespace}."), partition
        if offset > known.get(place, 0):
            raise DatabaseWentBackError(place, offset, known.get(place, 0))
