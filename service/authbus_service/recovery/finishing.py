"""What is left when all events are applied: addresses, what was said already, where to go on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.topics import EVENTS
from authbus_service.core import installation
from authbus_service.core.sets import Writes
from authbus_service.inbox import fence
from authbus_service.inbox.fence import Place
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.repository import Said, Waiting
from authbus_service.relay.batch import units

_MOST_WAITING = 1_000_000


async def forget_said(db: AsyncConnection, said: Collection[UUID]) -> int:
    """Delete the rows of the outbox whose events are on their topic; returns how many."""
    if not said:
        return 0
    rows = await outbox.oldest(db, _MOST_WAITING)
    gone = list(said_with(rows, said))
    return await outbox.remove(db, gone, provided=true())


async def not_said_of(db: AsyncConnection) -> set[UUID]:
    """Users of whom events wait, once those are gone that were said: no topic is as new as they.

    A recovery that was killed may have handled their commands anew.
    """
    return {UUID(key) for _, key, _ in await outbox.of_topic(db, EVENTS)}


def said_with(rows: Sequence[Waiting], said: Collection[UUID]) -> Iterable[Said]:
    """The rows that were said: an event's own states are said with it, those of others are not."""
    for unit in units(rows, all_read=True):
        if unit[-1].said.id in said:
            yield from (row.said for row in unit)


async def go_on_from(db: AsyncConnection, committed: Mapping[Place, int]) -> None:
    """Services may start again, under a new epoch, where their groups have committed.

    What came behind that is theirs: what was handled they know, and what waited too long expires.
    """
    async with Writes.to(db) as writes:
        fence.move(writes, committed)
    await installation.end_recovery(db)
