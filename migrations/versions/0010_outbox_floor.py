"""A look at the outbox begins where rows can be, behind those that are deleted and still kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

# It reads the count of positions, which the service's role may not. A floor that lies above that is
# another server's: of a copy that has the rows and not the count. Whose row has a position below
# zero, it is said again, before all others.
_FUNCTION = """
CREATE FUNCTION outbox_begin() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT CASE
        WHEN EXISTS (SELECT FROM outbox WHERE position < 0) THEN (-9223372036854775808)::bigint
        ELSE coalesce((
            SELECT outbox_floor FROM installation, outbox_position_seq
            WHERE outbox_floor <= last_value + 1
        ), 0)
    END
$$
"""
# It does what its owner may: nobody's temporary tables stand before ours, or PostgreSQL's.
_OUR_TABLES_ALONE = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION outbox_begin SET search_path = %I, pg_temp', current_schema());
END $$
"""


def upgrade() -> None:
    """Add the floor, which nobody has set yet, and the function."""
    op.add_column("installation", sa.Column("outbox_floor", sa.BigInteger(), nullable=True))
    op.execute(_FUNCTION)
    op.execute(_OUR_TABLES_ALONE)


def downgrade() -> None:
    """Drop both."""
    op.execute("DROP FUNCTION outbox_begin")
    op.drop_column("installation", "outbox_floor")
