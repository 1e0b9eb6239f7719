"""Sessions that the service ends, many in one transaction, as a group of commands would.

Users are locked first, the clock is read under the locks, events are applied and told in the same
transaction.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.auth import repository
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.sessions.lapsing import Unasked
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.consumers.telling import applied, records
from authbus_service.core.sets import Writes
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.repository import Record

Ends = Callable[[Session, User, datetime], Unasked | None]
Clock = Callable[[AsyncConnection], Awaitable[datetime]]


async def end_sessions(
    db: AsyncConnection, owners: Mapping[UUID, UUID], ends: Ends, clock: Clock, *, wait: bool
) -> int:
    """End those of these sessions, given with their users, that something `ends`; returns how many.

    Those whose user is locked elsewhere are left out, or waited for with `wait`.
    """
    proofs = [Proof(user_id=user_id, session_id=id_) for id_, user_id in owners.items()]
    rows, _ = await repository.lock(db, proofs, wait=wait)
    at = await clock(db)
    await repository.load_sessions(db, proofs, rows)
    said: list[Record] = []
    ended = 0
    for session in sorted(rows.sessions.known.values(), key=lambda each: each.id):
        found = ends(session, rows.users.by_id[session.user_id], at)
        if found is not None:
            by, event = found
            said += records(by, [applied(event, NOTHING, rows, at)], at)
            ended += 1
    writes = Writes()
    outbox.add(writes, said)
    await repository.flush(db, rows, writes)
    return ended
