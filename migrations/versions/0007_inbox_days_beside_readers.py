"""The inbox's days are made beside whoever reads it, and dropped when nobody does for long."""

from alembic import op

revision = "0007"
down_revision = "0006"

# A table that is made alone and attached is in nobody's way. Before one is dropped all must let go
# of the inbox, and whoever comes behind that waits too: it gives up early, until the next look.
# A time-out in the function's head makes the shorter one within it end with the function.
_FUNCTION = """
CREATE OR REPLACE FUNCTION keep_inbox_days(oldest date, newest date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '3s' AS $$
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
            EXECUTE format('CREATE TABLE %I (LIKE inbox INCLUDING ALL)', name);
            EXECUTE format(
                'ALTER TABLE inbox ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name,
                to_char(day, 'YYYY-MM-DD 00:00:00+00'), to_char(day + 1, 'YYYY-MM-DD 00:00:00+00')
            );
        END IF;
    END LOOP;
    BEGIN
        PERFORM set_config('lock_timeout', '300ms', true);
        FOR name IN
            SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = 'inbox'::regclass
                AND relname < 'inbox_' || to_char(oldest, 'YYYYMMDD')
            ORDER BY relname
        LOOP
            EXECUTE format('DROP TABLE %I', name);
        END LOOP;
    EXCEPTION WHEN lock_not_available THEN
        RAISE LOG 'authbus: an old day of the inbox waits for whoever has it open';
    END;
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
    """Put it in the place of the one before; who may call that one may call this."""
    op.execute(_FUNCTION)
    op.execute(_OUR_TABLES_ALONE)


def downgrade() -> None:
    """Leave it: the version before calls it the same way."""
