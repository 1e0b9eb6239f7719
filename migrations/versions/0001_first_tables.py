"""First tables: users, sessions, codes, mails, inbox, fence, outbox, lease, keys."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_TABLES = (
    *("mails", "codes", "outbox", "relay_lease", "fence", "inbox", "attempts", "sessions"),
    *("emails", "users", "erased_users", "keys", "installation"),
)


def _time(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, *, key: bool = False, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), primary_key=key, nullable=nullable)


def _owner(table: str) -> sa.Column[UUID]:
    """The user with whom a row goes."""
    key = sa.ForeignKey("users.id", name=f"fk_{table}_user_id", ondelete="CASCADE")
    return sa.Column("user_id", sa.Uuid(), key, nullable=False, index=True)


def _service() -> None:
    op.create_table(
        "installation",
        sa.Column("only", sa.SmallInteger(), primary_key=True, autoincrement=False),
        *map(_text, ("namespace", "cluster_id")),
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.Column("recovering", sa.Boolean(), nullable=False),
        _time("restore_point", nullable=True),
        sa.CheckConstraint('"only" = 1', name="ck_installation_single"),
    )
    op.create_table(
        "keys",
        _text("kid", key=True),
        _text("use"),
        _text("master"),
        _time("not_before"),
        _time("retired_at", nullable=True),
    )


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        _text("status"),
        _text("password_hash"),
        sa.Column("credential_version", sa.Integer(), nullable=False),
        _time("created_at"),
        _text("email"),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        _text("roles"),
        _time("locked_until", nullable=True),
        sa.Column("devices", sa.LargeBinary(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
    )
    op.create_index("ix_users_status", "users", ["status", "id"])
    op.create_table(
        "erased_users",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        _time("erased_at"),
    )
    op.create_table(
        "emails",
        sa.Column("canonical", sa.Text(collation="C"), primary_key=True),
        sa.Column(
            "user_id",
            sa.Uuid(),
            sa.ForeignKey(
                "users.id", name="fk_emails_user_id", deferrable=True, initially="DEFERRED"
            ),
            nullable=False,
            index=True,
        ),
    )


def _log_ins() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column(
            "user_id",
            sa.Uuid(),
            sa.ForeignKey("users.id", name="fk_sessions_user_id"),
            nullable=False,
            index=True,
        ),
        _text("client_id"),
        _text("amr"),
        _text("device", nullable=True),
        _text("ip_address", nullable=True),
        sa.Column("family_hash", sa.LargeBinary(), nullable=False),
        sa.Column("refresh_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        _time("started_at"),
        _time("authenticated_at"),
        _time("last_used_at"),
        _time("lapses_at"),
        _time("expires_at"),
        _time("ended_at", nullable=True),
        _text("end_reason", nullable=True),
    )
    for name, column in (("of_user", "user_id"), ("lapses_at", "lapses_at")):
        op.create_index(
            f"ix_sessions_open_{name}",
            "sessions",
            [column],
            postgresql_where=sa.text("ended_at IS NULL"),
        )


def _mailed() -> None:
    op.create_table(
        "codes",
        sa.Column("hash", sa.LargeBinary(), primary_key=True),
        _owner("codes"),
        _text("purpose"),
        _text("address"),
        _time("made_at"),
        _time("expires_at"),
        _time("used_at", nullable=True),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _text("template"),
        _owner("mails"),
        _text("address"),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _text("master"),
        _time("made_at"),
        _time("expires_at"),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
    )


def _guesses() -> None:
    op.create_table(
        "attempts",
        sa.Column("key", sa.LargeBinary(), primary_key=True),
        sa.Column("command_id", sa.Uuid(), primary_key=True),
        sa.Column("source", sa.LargeBinary(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        _text("state"),
        _time("at"),
        _time("expires_at"),
    )
    op.create_index(
        "ix_attempts_source",
        "attempts",
        ["source"],
        postgresql_where=sa.text("source IS NOT NULL"),
    )
    op.create_index(
        "ix_attempts_user_id",
        "attempts",
        ["user_id"],
        postgresql_where=sa.text("state = 'failed'"),
    )


def _handled() -> None:
    op.create_table(
        "inbox",
        sa.Column("time", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _text("master"),
        _time("expires_at"),
        _time("handled_at"),
        sa.Column("outcome", postgresql.JSONB(), nullable=False),
        postgresql_partition_by="RANGE (time)",
    )
    op.create_table(
        "fence",
        _text("topic", key=True),
        sa.Column("partition", sa.Integer(), primary_key=True),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
    )


def _said() -> None:
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True, cache=1), primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        _text("aggregatetype"),
        _text("aggregateid"),
        _text("type"),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), nullable=False),
        sa.Column(
            "timestamp",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.clock_timestamp(),
        ),
    )
    op.create_table(
        "relay_lease",
        sa.Column("only", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        _time("renewed_at"),
        sa.CheckConstraint('"only" = 1', name="ck_relay_lease_single"),
    )


def upgrade() -> None:
    """Make every table."""
    _service()
    _accounts()
    _log_ins()
    _mailed()
    _guesses()
    _handled()
    _said()


def downgrade() -> None:
    """Drop every table, partitions of the inbox with it."""
    for table in _TABLES:
        op.drop_table(table)
