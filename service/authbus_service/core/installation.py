"""Table `installation`: which namespace and cluster this database belongs to, and its epoch.

The epoch is a new one each time the database is restored: what an older epoch's relay wrote down is
then not obeyed. While it is `recovering` no service starts; `restore_point` is the last moment that
the copy knew when that began, none for an empty one. What the outbox's floor is, says
outbox/floor.py.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, SmallInteger, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base
from authbus_service.core.ids import new_id


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
    outbox_floor: Mapped[int | None] = mapped_column(BigInteger)


class Installed(NamedTuple):
    """What the row says."""

    namespace: str
    cluster_id: str
    epoch: UUID
    recovering: bool
    restore_point: datetime | None


_ROW = select(*(getattr(Installation, name) for name in Installed._fields))


async def found(db: AsyncConnection) -> Installed | None:
    """The row; None before the first start."""
    row = (await db.execute(_ROW)).one_or_none()
    return None if row is None else Installed(*row)


async def installed(db: AsyncConnection) -> Installed:
    """The row, which is there."""
    return Installed(*(await db.execute(_ROW)).one())


async def install(db: AsyncConnection, *, namespace: str, cluster_id: str) -> None:
    """Write the row, unless it is there already."""
    mine = {"only": 1, "namespace": namespace, "cluster_id": cluster_id, "epoch": new_id()}
    mine |= {"recovering": False, "restore_point": None}
    await db.execute(insert(Installation).values(mine).on_conflict_do_nothing())


async def begin_recovery(db: AsyncConnection, restore_point: datetime | None) -> None:
    """From now on no service starts."""
    await db.execute(update(Installation).values(recovering=True, restore_point=restore_point))


async def end_recovery(db: AsyncConnection) -> None:
    """Services may start again, under a new epoch."""
    await db.execute(
        update(Installation).values(epoch=new_id(), recovering=False, restore_point=None)
    )
