"""Table `sessions`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base

_IS_OPEN = "ended_at IS NULL"
_HAS_ENDED = "ended_at IS NOT NULL"


class SessionRow(Base):
    """A log-in.

    `refresh_hash` is SHA-256 of the refresh token that is valid now, `previous_hash` of the one
    before, `family_hash` of what all of the session have in common. `ended_at` is never cleared,
    and the row is deleted some time after it. `amr` is a list with spaces between.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        Index("ix_sessions_open_of_user", "user_id", postgresql_where=text(_IS_OPEN)),
        Index("ix_sessions_open_lapses_at", "lapses_at", postgresql_where=text(_IS_OPEN)),
        Index("ix_sessions_ended_at", "ended_at", postgresql_where=text(_HAS_ENDED)),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), index=True)
    client_id: Mapped[str]
    amr: Mapped[str]
    device: Mapped[str | None]
    ip_address: Mapped[str | None]
    family_hash: Mapped[bytes] = mapped_column(LargeBinary)
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    started_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    authenticated_at: Mapped[datetime]
    lapses_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
