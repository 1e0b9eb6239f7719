"""The only source of the process's time. Inside a transaction the database's clock counts."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_standing = ContextVar[datetime | None]("standing", default=None)


def now() -> datetime:
    """The wall clock in UTC, aware; or where this task lets it stand."""
    return _standing.get() or datetime.now(UTC)


@contextmanager
def standing_at(time: datetime) -> Generator[None]:
    """What this task judges in the block, it judges as of this time."""
    token = _standing.set(time)
    try:
        yield
    finally:
        _standing.reset(token)
