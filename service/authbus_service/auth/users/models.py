"""Tables `users`, `emails` and `erased_users`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, LargeBinary, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from authbus_service.core.database import Base


class UserRow(Base):
    """An account.

    `sequence` counts its events, `credential_version` its passwords; with an empty hash there is
    none. `email` is the address as written: here and not beside the canonical form, so that it is
    read anew together with the row whose lock was waited for. `roles` is a list of names with
    spaces between. `profile` is JSON as text: JSONB would write numbers anew.
    """

    __tablename__ = "users"
    __table_args__ = (Index("ix_users_status", "status", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str]
    password_hash: Mapped[str]
    credential_version: Mapped[int]
    created_at: Mapped[datetime]
    email: Mapped[str]
    email_verified: Mapped[bool]
    roles: Mapped[str]
    locked_until: Mapped[datetime | None]
    devices: Mapped[bytes] = mapped_column(LargeBinary)
    profile: Mapped[dict[str, Any]] = mapped_column(JSON)
    second_factor: Mapped[bool]


class ErasedUserRow(Base):
    """A user who is gone, and how many events they had: no address, no name, no row elsewhere."""

    __tablename__ = "erased_users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    erased_at: Mapped[datetime]


class EmailRow(Base):
    """An address and its owner. The canonical form is the key, so an address has one owner."""

    __tablename__ = "emails"

    canonical: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    # Deferred: an address is claimed before its user's row is written, in the same transaction.
    user_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("users.id", deferrable=True, initially="DEFERRED"), index=True
    )
