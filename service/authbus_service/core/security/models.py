"""Table `keys`: which keys exist and when they serve. Keys are derived, never stored."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class KeyRow(Base):
    """A key pair. `kid` is random; it and the master named here are all that the keys need."""

    __tablename__ = "keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    use: Mapped[str]
    master: Mapped[str]
    not_before: Mapped[datetime]
    retired_at: Mapped[datetime | None]
