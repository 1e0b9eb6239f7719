"""Table `inbox`, partitioned by the command id's time; table `fence`, below which all is done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class InboxRow(Base):
    """One handled command.

    `digest` is SHA-256 of the record's value as received, `content` an HMAC of type, source and
    data, `outcome` the reply without secrets, `master` names the key of its derivations.
    """

    __tablename__ = "inbox"
    __table_args__ = {"postgresql_partition_by": "RANGE (time)"}  # noqa: RUF012 - SQLAlchemy's form

    time: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    master: Mapped[str]
    expires_at: Mapped[datetime]
    handled_at: Mapped[datetime]
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Fence(Base):
    """Per topic partition the offset below which all is finished, moved with the effects."""

    __tablename__ = "fence"

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    next_offset: Mapped[int] = mapped_column(BigInteger)
