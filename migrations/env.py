"""Alembic's entry: runs on the connection it is given, in transactions of its own."""

from alembic import context

# Whoever comes behind a migration that waits for a lock waits with it, log-ins too. So it gives up
# early, and `authbus_service.core.migrations` tries again.
_LIMITS = ("SET LOCAL lock_timeout = '300ms'", "SET LOCAL statement_timeout = '5s'")


def run() -> None:
    """Run the migrations, or print their SQL when no connection is given."""
    connection = context.config.attributes.get("connection")
    if connection is None:
        context.configure(dialect_name="postgresql", literal_binds=True)
    else:
        context.configure(connection=connection)
    with context.begin_transaction():
        for each in _LIMITS:
            context.execute(each)
        context.run_migrations()


run()
