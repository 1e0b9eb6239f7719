"""The only source of the process's time. Inside a transaction the database's clock counts."""

from datetime import UTC, datetime


def now() -> datetime:
    """The wall clock in UTC, aware."""
    return datetime.now(UTC)
