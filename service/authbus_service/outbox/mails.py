"""Mails that are still to be sent: written with the effect, deleted once they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus_service.core.sets import columns, insert_rows
from authbus_service.outbox.models import MailRow


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMail:
    """One row; see MailRow."""

    id: UUID
    template: str
    user_id: UUID
    address: str = field(repr=False)
    command_id: UUID
    content: bytes = field(repr=False)
    master: str
    made_at: datetime
    expires_at: datetime
    due_at: datetime
    attempts: int = 0


_COLUMNS = tuple(QueuedMail.__dataclass_fields__)
_APPEND = insert_rows(MailRow.__table__, _COLUMNS)


async def append(db: AsyncConnection, mails: Sequence[QueuedMail]) -> None:
    """Queue these mails in the transaction of what they tell of."""
    if mails:
        await db.execute(_APPEND, columns(mails, _COLUMNS))
