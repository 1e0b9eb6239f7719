"""Sessions whose command is gone: nobody can hold their tokens, so each ends by an event.

The event's id follows from the session alone, and a session that has ended is passed over: killed
in between, this goes on where it was.
"""

from datetime import datetime
from functools import partial

from authbus.events import EndReason
from authbus_service.auth.sessions import repository as sessions
from authbus_service.auth.sessions.lapsing import Unasked, unasked
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.consumers.ending import end_sessions
from authbus_service.core.database import Database, clock_of
from authbus_service.core.security.masters import Masters

_AT_ONCE = 500


async def end_lost_sessions(database: Database, masters: Masters) -> int:
    """End every session without tokens that goes on; returns how many there were.

    One whose time is over is ended as others are, by the sweeper.
    """
    async with database.transaction() as db:
        found = list((await sessions.without_tokens(db)).items())
    total, ends = 0, partial(_lost, masters)
    for begin in range(0, len(found), _AT_ONCE):
        some = dict(found[begin : begin + _AT_ONCE])
        async with database.transaction() as db:
            total += await end_sessions(db, some, ends, clock_of, wait=True)
    return total


def _lost(masters: Masters, session: Session, user: User, _: datetime) -> Unasked:
    return unasked(masters, session, user, b"lost", EndReason.REVOKED)
