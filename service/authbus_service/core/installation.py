"""Table `installation`: which namespace and cluster this database belongs to, and its epoch.

The epoch is a new one each time the database is restored: what an older epoch's relay wrote down is
then not obeyed. While it is `recovering` no service starts; `restore_point` is the last moment that
the copy knew when that began, none for an empty one.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class Installation(Base):
    """The single row, written at the first start."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint('"only" = 1', name="single"),)

    only: Mapped[int] = mapped_column(SmallInteger, primary_key=True, default=1)
    namespace: Mapped[str]
    cluster_id: Mapped[str]
    epoch: Mapped[UUID]
    recovering: Mapped[bool]
    restore_point: Mapped[datetime | None]
