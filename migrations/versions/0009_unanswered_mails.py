"""A mail counts of its own how often a server did not say whether it took it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the count; processes of before write mails without it."""
    op.add_column(
        "mails", sa.Column("unanswered", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("mails", "unanswered")
