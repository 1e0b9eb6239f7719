"""Sessions whose command is gone: nobody can hold their tokens, so each ends by an event.

The event's id follows from the session alone, and a session that has ended is passed over: killed
in between, this goes on where it was.
"""

from datetime import datetime

from sqlalchemy import func, select

from authbus.events import EndReason, SessionEnded
from authbus_service.auth import actors, repository
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.request import Derived
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.sessions.session import Session
from authbus_service.consumers.telling import applied, records
from authbus_service.core.database import Database
from authbus_service.core.security.masters import Masters
from authbus_service.core.sets import Writes
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.repository import Record

_AT_ONCE = 500
_WHY = b"lost"


async def end_lost_sessions(database: Database, masters: Masters) -> int:
    """End every session without tokens that goes on; returns how many there were.

    One whose time is over is ended as others are, by the sweeper.
    """
    total = 0
    while ended := await _some(database, masters):
        total += ended
    return total


async def _some(database: Database, masters: Masters) -> int:
    async with database.transaction() as db:
        found = await sessions.without_tokens(db, _AT_ONCE)
        proofs = [Proof(user_id=user_id, session_id=id_) for id_, user_id in found.items()]
        rows, _ = await repository.lock(db, proofs, wait=True)
        await repository.load_sessions(db, proofs, rows)
        at = (await db.scalars(select(func.clock_timestamp()))).one()
        said: list[Record] = []
        for session in sorted(rows.sessions.known.values(), key=lambda each: each.id):
            said += _ended(session, rows, masters, at)
        writes = Writes()
        outbox.add(writes, said)
        await repository.flush(db, rows, writes)
    return len(found)


def _ended(session: Session, rows: Rows, masters: Masters, at: datetime) -> list[Record]:
    by = Derived(masters, masters.current, masters.lapse_id(session.id, _WHY), _WHY)
    event = SessionEnded(
        user_id=session.user_id,
        sequence=rows.users.by_id[session.user_id].sequence + 1,
        actor=actors.SERVICE,
        causation_id=by.command_id,
        session_id=session.id,
        reason=EndReason.REVOKED,
    )
    return records(by, [applied(event, NOTHING, rows, at)], at)
