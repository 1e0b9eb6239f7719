"""What lies under which master key, and until when it needs that master."""

from collections.abc import AsyncGenerator, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.envelope import LONGEST_LIFE
from authbus_service.auth import rewrapping
from authbus_service.consumers.opening import NEAR
from authbus_service.core.database import Database
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import USES, Key
from authbus_service.core.security.masters import MasterKeyError, Masters
from authbus_service.inbox.models import InboxRow
from authbus_service.outbox.models import MailRow

What = Literal["signing keys", "sealing keys", "second factors", "mails", "answers"]
OF_USE: dict[str, What] = {"sig": "signing keys", "enc": "sealing keys"}

# One time for the whole statement: else every partition of the inbox would be read to its end.
_NOW = func.statement_timestamp()
_MAILS = (
    select(MailRow.master, func.count(), func.max(MailRow.expires_at))
    .where(MailRow.expires_at > _NOW)
    .group_by(MailRow.master)
)
_OLDEST: ColumnElement[datetime] = _NOW - (NEAR + LONGEST_LIFE)
_ANSWERS = (
    select(InboxRow.master, func.count(), func.max(InboxRow.expires_at))
    .where(InboxRow.time > _OLDEST, InboxRow.expires_at > _NOW)
    .group_by(InboxRow.master)
)


@dataclass(frozen=True, slots=True)
class Lying:
    """So many of one kind under one master. `until`: when nothing of it needs the master any more.

    None: not before it is replaced or wrapped again.
    """

    master: str
    what: What
    count: int
    until: datetime | None = None


async def all_lying(db: AsyncConnection) -> list[Lying]:
    """All that lies under any master, by master and kind; what has run out is left out."""
    return sorted([each async for each in _found(db)], key=lambda each: (each.master, each.what))


async def _found(db: AsyncConnection) -> AsyncGenerator[Lying]:
    for each in _keys(await repository.keys(db)):
        yield each
    for master, count in (await rewrapping.by_master(db)).items():
        yield Lying(master, "second factors", count)
    for row in await db.execute(_MAILS):
        yield Lying(row[0], "mails", row[1], row[2])
    for row in await db.execute(_ANSWERS):
        yield Lying(row[0], "answers", row[1], row[2])


def _keys(found: Collection[Key]) -> Iterable[Lying]:
    for master in {key.master for key in found}:
        for use in USES:
            ends = [key.needed_until for key in found if (key.master, key.use) == (master, use)]
            known = [each for each in ends if each is not None]
            if ends:
                until = max(known) if len(known) == len(ends) else None
                yield Lying(master, OF_USE[use], len(ends), until)


async def require_masters(database: Database, masters: Masters) -> None:
    """Raise MasterKeyError when something lies under a master that is not given."""
    async with database.reading() as db:
        missing = [each for each in await all_lying(db) if each.master not in masters.names]
    if missing:
        told = ", ".join(f"{each.count} {each.what} under {each.master}" for each in missing)
        raise MasterKeyError(
            f"there are {told}: not in the list of master keys ({', '.join(masters.names)}). "
            "Add the previous master key behind the current one. See: authbus keys replace-master"
        )
