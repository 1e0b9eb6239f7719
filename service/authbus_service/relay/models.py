"""Table `relay_lease`: who may relay. Its `number` grows with each holder and guards deletes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class RelayLease(Base):
    """The single lease; `renewed_at` is the database's clock."""

    __tablename__ = "relay_lease"
    __table_args__ = (CheckConstraint('"only" = 1', name="single"),)

    only: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)
    holder: Mapped[UUID]
    number: Mapped[int] = mapped_column(BigInteger)
    renewed_at: Mapped[datetime]
