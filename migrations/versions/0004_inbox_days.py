"""The inbox's days are made and dropped by a function: who serves need not own a table."""

from alembic import op

revision = "0004"
down_revision = "0003"

_FUNCTION = """
CREATE FUNCTION keep_inbox_days(oldest date, newest date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    day date;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('authbus.inbox.partitions'));
    FOR number IN 0 .. newest - oldest LOOP
        day := oldest + number;
        name := 'inbox_' || to_char(day, 'YYYYMMDD');
        IF NOT EXISTS (
            SELECT FROM pg_inherits
            WHERE inhparent = 'inbox'::regclass AND inhrelid = to_regclass(name)
        ) THEN
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF inbox FOR VALUES FROM (%L) TO (%L)', name,
                to_char(day, 'YYYY-MM-DD 00:00:00+00'), to_char(day + 1, 'YYYY-MM-DD 00:00:00+00')
            );
        END IF;
    END LOOP;
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'inbox'::regclass AND relname < 'inbox_' || to_char(oldest, 'YYYYMMDD')
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
END
$$
"""
# It does what its owner may: nobody's temporary tables stand before ours, or PostgreSQL's.
_OUR_TABLES_ALONE = """
DO $$ BEGIN
    EXECUTE format(
        'ALTER FUNCTION keep_inbox_days SET search_path = %I, pg_temp', current_schema()
    );
END $$
"""


def upgrade() -> None:
    """Make the function, for its owner and whom the owner's default privileges name."""
    op.execute(_FUNCTION)
    op.execute(_OUR_TABLES_ALONE)
    op.execute("REVOKE EXECUTE ON FUNCTION keep_inbox_days FROM PUBLIC")


def downgrade() -> None:
    """Drop it."""
    op.execute("DROP FUNCTION keep_inbox_days")
