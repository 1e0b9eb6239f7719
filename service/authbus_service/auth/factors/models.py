"""Table `factors`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class FactorRow(Base):
    """A user's second factor; see Factor. Its secret is wrapped under a master key."""

    __tablename__ = "factors"

    user_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    made_at: Mapped[datetime]
    enabled_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger)
    recovery_codes: Mapped[bytes] = mapped_column(LargeBinary)
