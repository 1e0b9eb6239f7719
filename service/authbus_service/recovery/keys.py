"""Keys as the key topic tells of them: their names are there, they themselves in the masters.

What is there may be newer than the backup: keys that were made, retired or destroyed since. A
record counts when it is signed under a root of ours. Anybody who can write to the topic can write
a tombstone, so a key is given up only when nothing can need it any more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.state import PublicKey
from authbus.topics import KEYS_STATE
from authbus.trust import Trust
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.repository import Said
from authbus_service.recovery.reading import Topics


@dataclass(frozen=True, slots=True)
class SaidKeys:
    """The last word on each key that one of our masters gives, and which of them have ended."""

    keys: dict[str, Key] = field(default_factory=dict[str, Key])
    ended: set[str] = field(default_factory=set[str])

    def note(self, kid: str, value: bytes | None, masters: Masters) -> None:
        """Take the topic's next record. A key that has retired once stays retired."""
        if value is None:
            self.ended.add(kid)
            return
        try:
            key = _ours(PublicKey.model_validate_json(value), masters)
        except ValidationError:
            return
        if key is None or key.kid != kid:
            return
        self.ended.discard(kid)
        known = self.keys.get(kid)
        if known is None or known.retired_at is None:
            self.keys[kid] = key


@dataclass(frozen=True, slots=True)
class Unsaid:
    """A row of the outbox that tells of a key, or of its end."""

    said: Said
    kid: str
    is_end: bool


@dataclass(frozen=True, slots=True)
class Change:
    """What has to be done to the database's keys: `keys` are all of them afterwards."""

    keys: list[Key]
    missing: list[Key]
    retired: list[Key]
    destroyed: list[str]
    outdated: list[Said]


async def said_keys(topics: Topics, masters: Masters) -> SaidKeys:
    """Read the topic from its start."""
    found = SaidKeys()
    async for batch in topics.batches([KEYS_STATE], None):
        for _, record in batch:
            found.note((record.key or b"").decode(errors="replace"), record.value, masters)
    return found


def changes(
    known: Mapping[str, Key], told: SaidKeys, unsaid: Collection[Unsaid], at: datetime
) -> Change:
    """What the database's keys lack, at this time. `unsaid` waits in its outbox."""
    ends = {each.kid for each in unsaid if each.is_end}
    waits = {each.kid for each in unsaid}
    after: dict[str, Key] = {}
    for kid, key in _newest(known, told).items():
        # A tombstone is compacted away too: then the topic does not know the key at all.
        forgotten = kid not in told.keys and kid not in waits
        ended = kid in told.ended or kid in ends or forgotten
        if not (ended and _is_needless(key, at)):
            after[kid] = key
    return Change(
        keys=list(after.values()),
        missing=[key for kid, key in after.items() if kid not in known],
        retired=[key for kid, key in after.items() if kid in known and key != known[kid]],
        destroyed=[kid for kid in known if kid not in after],
        outdated=[each.said for each in unsaid if _is_outdated(each, told)],
    )


async def find_changes(db: AsyncConnection, told: SaidKeys, at: datetime) -> Change:
    """The same for this database."""
    known = {key.kid: key for key in await repository.keys(db)}
    unsaid = [Unsaid(*each) for each in await outbox.of_topic(db, KEYS_STATE)]
    return changes(known, told, unsaid, at)


async def make(db: AsyncConnection, change: Change) -> None:
    """Bring the database's keys there."""
    await repository.add(db, change.missing)
    await repository.set_retired(db, change.retired)
    await repository.remove(db, change.destroyed)
    if change.outdated:
        await outbox.remove(db, change.outdated, provided=true())


def _newest(known: Mapping[str, Key], told: SaidKeys) -> dict[str, Key]:
    """Every key, retired when clients have heard that it retires."""
    newest = {**told.keys, **known}
    for kid, key in told.keys.items():
        if key.retired_at is not None:
            newest[kid] = replace(newest[kid], retired_at=key.retired_at)
    return newest


def _is_needless(key: Key, at: datetime) -> bool:
    until = key.needed_until
    return until is not None and until < at


def _is_outdated(row: Unsaid, told: SaidKeys) -> bool:
    """Whether the topic has a later word than this row: a key changes once, when it retires."""
    if row.is_end:
        return False
    key = told.keys.get(row.kid)
    return row.kid in told.ended or (key is not None and key.retired_at is not None)


def _ours(record: PublicKey, masters: Masters) -> Key | None:
    """The key under the master that gives exactly this record's public half."""
    for master in masters.names:
        key = Key(record.kid, record.use, master, record.not_before, record.retired_at)
        ring = KeyRing(masters)
        ring.load([key])
        (made,) = ring.public_records()
        if made.jwk == record.jwk and Trust(masters.root_thumbprint(master)).accept(record):
            return key
    return None
