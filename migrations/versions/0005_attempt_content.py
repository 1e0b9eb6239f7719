"""An attempt says what it is of: under one command's id there is one guess."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column; those that are held meanwhile are nobody's guess and run out."""
    op.add_column("attempts", sa.Column("content", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("attempts", "content")
