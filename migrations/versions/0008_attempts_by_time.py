"""An index of the attempts by time: they are deleted a day after they were made."""

from alembic import op

revision = "0008"
down_revision = "0007"

_NAME = "ix_attempts_at"
# It takes as long as the table is large, and waits for whoever has the table open. Nobody waits
# behind it meanwhile; who has forgotten a transaction is found out after a minute.
_PATIENT = ("SET statement_timeout = 0", "SET lock_timeout = '60s'")
_AS_BEFORE = ("RESET statement_timeout", "RESET lock_timeout")
# Behind the block stands a transaction of its own.
_LIMITS = ("SET LOCAL lock_timeout = '300ms'", "SET LOCAL statement_timeout = '5s'")
# An index that was not finished is there, and of no use.
_DROP = f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}"
_MAKE = f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_NAME} ON attempts (at)"


def _outside(*statements: str) -> None:
    with op.get_context().autocommit_block():
        _do(*_PATIENT)
        try:
            _do(*statements)
        finally:
            _do(*_AS_BEFORE)
    _do(*_LIMITS)


def _do(*statements: str) -> None:
    for each in statements:
        op.execute(each)


def upgrade() -> None:
    """Make it beside all who write attempts."""
    _outside(_DROP, _MAKE)


def downgrade() -> None:
    """Drop it."""
    _outside(_DROP)
