"""The fence: per topic partition the offset below which every command is finished.

It moves in the transactions of the effects and never back, and Kafka's offset follows it. A
committed offset above the fence therefore means that the database was restored from an older copy.
"""

from collections.abc import Mapping
from operator import getitem

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.sets import Columns, Writes, insert_rows
from authbus_service.inbox.models import Fence

Place = tuple[str, int]

_FENCE = Fence.__table__
_COLUMNS = Columns("fence", ("topic", "partition", "next_offset"), read=getitem)
_INSERT = insert_rows(_FENCE, _COLUMNS)
_MOVE = _INSERT.on_conflict_do_update(
    index_elements=["topic", "partition"],
    set_={"next_offset": func.greatest(_FENCE.c.next_offset, _INSERT.excluded.next_offset)},
)


def move(writes: Writes, offsets: Mapping[Place, int]) -> None:
    """Move the fence up to these offsets; the greater of old and new stays."""
    rows = [
        {"topic": topic, "partition": partition, "next_offset": offset}
        for (topic, partition), offset in sorted(offsets.items())
    ]
    if rows:
        writes.add(_MOVE, _COLUMNS(rows))


async def read(db: AsyncConnection) -> dict[Place, int]:
    """The whole fence: (topic without namespace, partition) -> next offset."""
    found = await db.execute(select(_FENCE.c.topic, _FENCE.c.partition, _FENCE.c.next_offset))
    return {(topic, partition): offset for topic, partition, offset in found}
