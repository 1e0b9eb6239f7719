"""Second factors: whether a user has one, its wrapped secret, hashes of its recovery codes."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table, the column that spares log-ins a look into it, and what a challenge says."""
    op.add_column(
        "users",
        sa.Column("second_factor", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "codes",
        sa.Column("credential_version", sa.Integer(), nullable=False, server_default="0"),
    )
    op.create_table(
        "factors",
        sa.Column(
            "user_id",
            sa.Uuid(),
            sa.ForeignKey("users.id", name="fk_factors_user_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _TIME, nullable=False),
        sa.Column("enabled_at", _TIME, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("recovery_codes", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("factors")
    op.drop_column("codes", "credential_version")
    op.drop_column("users", "second_factor")
