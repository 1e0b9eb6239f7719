"""The database is at least as new as Kafka's offsets: asked before anybody relays or consumes."""

from collections.abc import Iterable, Mapping
from typing import Any

from authbus_service.cluster import Admin
from authbus_service.consumers.went_back import Guard
from authbus_service.core.database import Database
from authbus_service.inbox.fence import Place


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
    committed = await committed_offsets(servers, security, namespace, groups)
    await Guard(database, servers, namespace, security)(committed)


async def committed_offsets(
    servers: str, security: Mapping[str, Any], namespace: str, groups: Iterable[str]
) -> dict[Place, int]:
    """Where these groups go on, by topic (without the namespace) and partition."""
    found: dict[Place, int] = {}
    async with Admin.connect(servers, security) as admin:
        for group in groups:
            for (topic, partition), offset in (await admin.committed(group)).items():
                found[topic.removeprefix(f"{namespace}."), partition] = offset
    return found
