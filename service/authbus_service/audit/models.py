"""Table `audit_failures`: guesses that failed in one minute."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class AuditFailuresRow(Base):
    """How often one client's command failed for one account in one minute. `key` is an HMAC."""

    __tablename__ = "audit_failures"

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    minute: Mapped[datetime] = mapped_column(primary_key=True)
    command: Mapped[str]
    outcome: Mapped[str]
    client_id: Mapped[str]
    user_id: Mapped[UUID | None]
    failures: Mapped[int] = mapped_column(Integer)
