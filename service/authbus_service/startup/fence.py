"""The database is at least as new as Kafka's offsets: asked before anybody relays or consumes."""

from collections.abc import Iterable, Mapping
from typing import Any

from authbus_service.cluster import Admin
from authbus_service.consumers import Guard
from authbus_service.core.database import Database


async def require_fence(
    database: Database,
    servers: str,
    security: Mapping[str, Any],
    *,
    namespace: str,
    groups: Iterable[str],
) -> None:
    """Raise DatabaseWentBackError when Kafka knows more than the database.

    Offsets are read before the fence: a process that works meanwhile moves the fence first.
    """
    committed: dict[tuple[str, int], int] = {}
    async with Admin.connect(servers, security) as admin:
        for group in groups:
            for (topic, partition), offset in (await admin.committed(group)).items():
                committed[topic.removeprefix(f"{namespace}."), partition] = offset
    await Guard(database, servers, namespace, security)(committed)
