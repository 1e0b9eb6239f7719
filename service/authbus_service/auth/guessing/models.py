"""Table `attempts`: passwords that are checked, those that were wrong, and what else is counted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class AttemptRow(Base):
    """See StoredAttempt. No address is stored: `key` and `source` are HMACs."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("ix_attempts_source", "source", postgresql_where=text("source IS NOT NULL")),
        Index("ix_attempts_at", "at"),
        Index("ix_attempts_user_id", "user_id", postgresql_where=text("state = 'failed'")),
    )

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    command_id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[bytes | None] = mapped_column(LargeBinary)
    user_id: Mapped[UUID | None]
    state: Mapped[str]
    at: Mapped[datetime]
    expires_at: Mapped[datetime]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
