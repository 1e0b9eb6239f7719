"""What was said and never shown, and has to be said again.

A manifest names such rows, and whoever reads it would delete them. So they get positions that no
manifest names yet: below all others, since nothing that was written later has been said, and in the
same order.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, delete, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.outbox.models import OutboxRow
from authbus_service.outbox.repository import AGAIN, NAMED, Said, names_of

_TAKE = delete(OutboxRow).where(NAMED).returning(*OutboxRow.__table__.c)
# An identity column takes no position of ours by an UPDATE.
_PUT_BACK = text(
    "INSERT INTO outbox"
    " (position, id, aggregatetype, aggregateid, type, payload, headers, timestamp)"
    " OVERRIDING SYSTEM VALUE VALUES"
    " (:position, :id, :aggregatetype, :aggregateid, :type, :payload, :headers, :timestamp)"
).bindparams(bindparam("headers", type_=JSONB))


async def say_again(
    db: AsyncConnection, said: Sequence[Said], *, provided: ColumnElement[bool]
) -> int:
    """Have those of these that are still there wait before all others, and say how many these were.

    Nothing is changed where `provided` does not hold.
    """
    found = await db.execute(_TAKE.where(provided), names_of(said))
    rows = [{**row, "position": row["position"] - AGAIN} for row in found.mappings()]
    if rows:
        await db.execute(_PUT_BACK, rows)
    return len(rows)
