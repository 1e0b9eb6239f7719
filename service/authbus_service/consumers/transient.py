"""Which failures pass by themselves: a lost connection, a dead-lock, a server that starts."""

from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError, InterfaceError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# What is raised while Kafka or PostgreSQL is away: work of our own then waits for its next turn.
OUTAGE = (KafkaError, SQLAlchemyError, OSError, TimeoutError)

# SQLSTATE classes: connection, rollback, resources, operator intervention, lock time-out.
_CLASSES = ("08", "40", "53", "57", "55")


def is_transient(error: BaseException) -> bool:
    """Whether the same work, done again in a while, may succeed."""
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or state.startswith(_CLASSES) or _is_lost(error)
    return isinstance(error, PoolTimeoutError | OSError | TimeoutError)


def _is_lost(error: DBAPIError) -> bool:
    cause = error.orig.__cause__ if error.orig is not None else None
    return isinstance(error, InterfaceError) or isinstance(cause, OSError | TimeoutError)
