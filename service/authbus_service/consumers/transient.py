"""Which failures pass by themselves: a lost connection, a dead-lock, a server that starts."""

from asyncpg.exceptions import InvalidCachedStatementError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from authbus_service.cluster.errors import KAFKA_AWAY
from authbus_service.core.database import DATABASE_AWAY, cause_of
from authbus_service.core.security.following import KeysBehindError
from authbus_service.core.security.masters import MissingMasterError
from authbus_service.inbox import partitions

# What is raised while Kafka or PostgreSQL is away: work of our own then waits for its next turn.
OUTAGE = (*KAFKA_AWAY, *DATABASE_AWAY)

# SQLSTATE classes: connection, rollback, resources, lock time-out, operator, system; and a server
# that only reads, as one does that a fail-over has not yet reached. A password, a database or a
# right that is not there says nothing of the command that happened to need it.
_STATES = ("08", "40", "53", "55", "57", "58", "25006", "28", "3D", "42501")


def is_transient(error: BaseException) -> bool:
    """Whether the same work, done again in a while, may succeed, here or in another process."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        passes = error.connection_invalidated or state.startswith(_STATES)
        return passes or _is_lost(error) or partitions.is_missing(error)
    behind = KeysBehindError | MissingMasterError
    return isinstance(error, PoolTimeoutError | OSError | behind)


def _is_lost(error: DBAPIError) -> bool:
    # A statement that was planned before a migration is planned anew when it is asked again.
    passing = OSError | InvalidCachedStatementError
    return isinstance(error, InterfaceError) or isinstance(cause_of(error), passing)
