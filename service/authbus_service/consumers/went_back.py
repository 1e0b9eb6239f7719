"""Is the database at least as new as Kafka's offsets? If not, an older copy was restored."""

from collections.abc import Mapping

from authbus_service.consumers.arrival import Place
from authbus_service.core.database import Database
from authbus_service.inbox import fence


class DatabaseWentBackError(RuntimeError):
    """Kafka's offsets are above the fence: the database was restored from an older copy."""

    def __init__(self, place: Place, committed: int, known: int) -> None:
        """`committed` is Kafka's offset, `known` the fence."""
        super().__init__(
            f"the database went back in time: {place[0]}/{place[1]} is committed up to "
            f"{committed}, the database knows {known}. Nothing is handled. Run: authbus recover"
        )


async def require_no_older(database: Database, committed: Mapping[Place, int]) -> None:
    """Raise DatabaseWentBackError when Kafka has committed more than the database knows.

    The offsets must be read before this call: who works meanwhile moves the fence first.
    """
    async with database.reading() as db:
        known = await fence.read(db)
    for place, offset in committed.items():
        if offset > known.get(place, 0):
            raise DatabaseWentBackError(place, offset, known.get(place, 0))
