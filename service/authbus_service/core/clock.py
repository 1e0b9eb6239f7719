"""The only source of the process's time. Inside a transaction the database's clock counts."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_standing = ContextVar[datetime | None]("standing", default=None)


def now() -> datetime:
    """The wall clock in UTC, aware; or where this task lets it stand."""
    return _standing.get() or datetime.now(UTC)


def at_ms(milliseconds: int) -> datetime:
    """Kafka's time of a record.

    A topic that takes its producers' times may hold any 64 bits: LONG_AGO is far from any id.
    """
    try:
        return LONG_AGO + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return LONG_AGO


@contextmanager
def standing_at(time: datetime) -> Generator[None]:
    """What this task judges in the block, it judges as of this time."""
    token = _standing.set(time)
    try:
        yield
    finally:
        _standing.reset(token)
