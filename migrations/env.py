"""Alembic's entry: runs on the connection it is given, in that connection's transaction."""

from alembic import context
from sqlalchemy import text

# Two processes that start at once: the second waits here, then finds nothing left to do.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('authbus.migrations'))"


def run() -> None:
    """Run the migrations, or print their SQL when no connection is given."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        context.configure(dialect_name="postgresql", literal_binds=True)
    else:
        connection.execute(text(_LOCK))
        context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


run()
