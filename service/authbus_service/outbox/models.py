"""Tables `outbox` and `mails`: what is still to be said. The first has the names of Debezium."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Integer, LargeBinary, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class OutboxRow(Base):
    """`aggregatetype` is the topic without namespace, `aggregateid` the record's key.

    A row of a user is written under the lock of that user's row, so that `position` is the commit
    order for each user. A null payload is a tombstone; of a row of the relay's own topic nothing is
    said but its id.
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


class MailRow(Base):
    """A mail to be sent. It holds no code, only what a code is derived from again.

    That is the command's id, the HMAC of its content and the name of the master. `due_at` is when
    it is tried next, `expires_at` when nobody needs it any more. Of its `attempts` the server did
    not say of so many as are `unanswered` whether it took it.
    """

    __tablename__ = "mails"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    template: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    address: Mapped[str]
    command_id: Mapped[UUID]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    master: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(Integer)
    unanswered: Mapped[int] = mapped_column(Integer, server_default="0")
