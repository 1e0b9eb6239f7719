"""The keys: made at the first start, rotated, destroyed; each change is said with its commit."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.state import PublicKey
from authbus.topics import KEYS_STATE
from authbus_service.core import installation
from authbus_service.core.clock import now
from authbus_service.core.database import Database, clock_of
from authbus_service.core.ids import new_id
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import Key, KeyRing, Use, first_keys
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.rotation import (
    RotationError,
    require_needless,
    rotated,
)
from authbus_service.inbox import writing
from authbus_service.outbox.records import record_of
from authbus_service.outbox.repository import Record, append
from authbus_service.replay.key_topic import KeyTopic


async def open_keyring(database: Database, masters: Masters) -> KeyRing:
    """The key ring with every key of this database; processes that start at once agree on it.

    Raises MasterKeyError when the database names a master that is not given.
    """
    ring = KeyRing(masters)
    async with database.transaction() as db:
        # By the clock that tokens are issued by: by ours, one ahead, none might serve for hours.
        first = first_keys(await clock_of(db), masters)
        if await repository.add_first(db, first):
            ring.load(first)
            await append(db, _records(ring, first))
        ring.load(await repository.keys(db))
    return ring


async def rotate(
    database: Database,
    masters: Masters,
    uses: Collection[Use],
    lead: timedelta,
    trusted: str | None = None,
) -> list[Key]:
    """Announce a new key of each use, which replaces what serves in `lead`; returns what changed.

    `trusted` is as `require_trusted` has it. Raises RotationError, RecoveryRunsError and
    MasterKeyError, and changes nothing then.
    """
    ring = KeyRing(masters)
    async with database.transaction() as db:
        at = await writing.begin(db)
        await _hold(db)
        known = await repository.keys(db)
        change = rotated(known, uses, at, lead, masters)
        ring.load([*change.new, *change.retired])
        require_trusted(known, masters, trusted)
        await repository.add(db, change.new)
        await repository.set_retired(db, change.retired)
        # The new one is said first: whoever has heard of half of it has a key that serves.
        await append(db, _records(ring, [*change.new, *change.retired]))
    return [*change.new, *change.retired]


def require_trusted(known: Iterable[Key], masters: Masters, trusted: str | None) -> None:
    """Raise RotationError when no client may take keys of the current master yet, or any more.

    They do while one of its keys is in use; else `trusted` has to be the thumbprint of its root.
    """
    root, current = masters.root_thumbprint(), masters.current
    in_use = any(key.master == current and key.retired_at is None for key in known)
    if not in_use and trusted != root:
        raise RotationError(
            f"no key of the master key {current} is in use, and clients that pin a root take no "
            "keys of another. If it was replaced, put the newer one in front of it. If it is new, "
            f"put {root} beside the old thumbprint in each client's trust=, then run this again "
            f"with --trusted {root}"
        )


async def destroy(database: Database, kid: str) -> Key:
    """Delete a key that nothing needs any more, and tell so; returns what it was.

    Raises RotationError, which says from when on it can be, and RecoveryRunsError.
    """
    async with database.transaction() as db:
        at = await writing.begin(db)
        await _hold(db)
        known = {key.kid: key for key in await repository.keys(db)}
        if kid not in known:
            raise RotationError(f"there is no key {kid}. See: authbus keys list")
        require_needless(known[kid], at)
        await repository.remove(db, [kid])
        await append(db, [_record(kid, None)])
    return known[kid]


async def _hold(db: AsyncConnection) -> None:
    await repository.lock(db)
    found = await installation.found(db)
    if found is not None and found.recovering:
        raise RotationError("a recovery has begun and is not finished. Run: authbus recover")


def _records(ring: KeyRing, keys: Iterable[Key]) -> list[Record]:
    said = {record.kid: record for record in ring.public_records()}
    return [_record(key.kid, said[key.kid]) for key in keys]


def _record(kid: str, key: PublicKey | None) -> Record:
    """None is the key's end."""
    return record_of(KEYS_STATE, kid, PublicKey.wire_type(), key, id_=new_id(), at=now())


async def retell(
    database: Database, masters: Masters, topic: KeyTopic, *, dry_run: bool
) -> tuple[int, int]:
    """Say every key again, and the end of what is on the topic alone; returns how many of each.

    Raises RotationError when a key is on the topic that is needed and not in the database.
    """
    ring = KeyRing(masters)
    async with database.transaction() as db:
        at = await writing.begin(db)
        await _hold(db)
        known = {key.kid: key for key in await repository.keys(db)}
        for kid in topic.there - known.keys():
            _require_not_ours(topic, kid, at)
        ring.load(known.values())
        told = _records(ring, sorted(known.values(), key=lambda key: (key.not_before, key.kid)))
        ends = [_record(kid, None) for kid in sorted(topic.there - known.keys())]
        if not dry_run:
            await append(db, [*told, *ends])
    return len(told), len(ends)


def _require_not_ours(topic: KeyTopic, kid: str, at: datetime) -> None:
    key = topic.said.keys.get(kid)
    until = None if key is None else key.needed_until
    if key is not None and (until is None or until >= at):
        raise RotationError(
            f"the key {kid} is on the topic and may still be needed, and the database does not "
            "know it. Has it gone back in time? See: authbus doctor"
        )
