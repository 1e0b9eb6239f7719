"""Table `keys`: which keys exist and when they serve. The keys themselves are derived, never stored."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class KeyRow(Base):
    """A key pair: `kid` is random and, with the master named here, all that its derivation needs."""

    __tablename__ = "keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    use: Mapped[str]
    master: Mapped[str]
    not_before: Mapped[datetime]
    retired_at: Mapped[datetime | None]
