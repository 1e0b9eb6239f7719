"""Table `sessions`."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class SessionRow(Base):
    """A log-in.

    `refresh_hash` is SHA-256 of the refresh token that is valid now, the `refresh_generation`th of
    its family. `ended_at` is never cleared. `amr` is a list with spaces between.
    """

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("users.id"), index=True)
    client_id: Mapped[str]
    amr: Mapped[str]
    refresh_hash: Mapped[bytes] = mapped_column(LargeBinary)
    refresh_generation: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
