"""Table `outbox`: one row for each record to be published. Names are Debezium's event router's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, LargeBinary, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class OutboxRow(Base):
    """`aggregatetype` is the topic without namespace, `aggregateid` the record's key.

    A row of a user is written under the lock of that user's row, so that `position` is the commit
    order for each user. A null payload is a tombstone.
    """

    __tablename__ = "outbox"

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    id: Mapped[UUID]
    aggregatetype: Mapped[str]
    aggregateid: Mapped[str]
    type: Mapped[str]
    payload: Mapped[bytes | None] = mapped_column(LargeBinary)
    headers: Mapped[list[list[str]]] = mapped_column(JSONB)
    timestamp: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
