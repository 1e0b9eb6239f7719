"""`authbus state rebuild users`: the compacted topic is written anew, while the service runs.

Each user's state goes through the outbox under the user's row lock, so that it stands among the
user's events where it belongs. Whoever is on the topic and not in the database gets a tombstone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.state import UserState
from authbus.topics import USERS_STATE
from authbus_service.auth.users import repository as users
from authbus_service.auth.users.service import state
from authbus_service.cluster import Admin, ClusterError
from authbus_service.consumers.transient import is_transient
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.progress import Tell
from authbus_service.inbox import writing
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.records import record_of
from authbus_service.outbox.repository import Record
from authbus_service.reading.ranges import partitions_of, read, reader, spans

# So many users are locked at once, for some milliseconds.
_AT_ONCE = 100
# So many rows may wait in the outbox: what else is said waits behind them.
_MOST_WAITING = 2_000
_PAUSE_SECONDS = 0.05
_PATIENCE_SECONDS = 30.0


class NobodyRelaysError(ClusterError):
    """The outbox does not become empty."""

    def __init__(self) -> None:
        """The cure is to start a service."""
        super().__init__(
            f"the outbox has not become shorter for {_PATIENCE_SECONDS:.0f} s. Start a service, "
            "then do this again"
        )


@dataclass(slots=True)
class Rebuilt:
    """How many states were written, and how many tombstones. Killed half-way: do it again."""

    dry_run: bool
    users: int = 0
    tombstones: int = 0


@dataclass(frozen=True, slots=True)
class UserStates:
    """Rebuilds auth.state.users.v1 of one installation."""

    database: Database
    admin: Admin
    namespace: str
    tell: Tell

    async def rebuild(self, *, dry_run: bool) -> Rebuilt:
        """Write all states and tombstones into the outbox. Raises NobodyRelaysError."""
        done = Rebuilt(dry_run)
        async with self.database.reading() as db:
            about = await users.about(db)
        ghosts = await self._ghosts()
        after: UUID | None = None
        while batch := await self._next(after):
            after = batch[-1]
            done.users += len(batch) if dry_run else await self._say(batch)
            self.tell("users", done.users, about)
        self.tell("users", done.users, done.users)
        for begin in range(0, len(ghosts), _AT_ONCE):
            batch = ghosts[begin : begin + _AT_ONCE]
            done.tombstones += len(batch) if dry_run else await self._end(batch)
        return done

    async def _next(self, after: UUID | None) -> list[UUID]:
        async with self.database.reading() as db:
            return await users.next_ids(db, after, _AT_ONCE)

    async def _say(self, ids: list[UUID]) -> int:
        async def say(db: AsyncConnection, at: datetime) -> list[Record]:
            found = await users.lock(db, ids, wait=True)
            return [_record(str(user.id), at, state(user)) for user in found]

        return await self._written(say)

    async def _end(self, keys: list[str]) -> int:
        async def end(db: AsyncConnection, at: datetime) -> list[Record]:
            there = await users.present(db, _ids(keys).values())
            return [_record(key, at, None) for key in keys if _ids([key]).get(key) not in there]

        return await self._written(end)

    async def _written(self, make: Callable[..., Any]) -> int:
        """Append what is made, once there is room; a lock that took too long is asked for again.

        What does not pass within our patience is raised.
        """
        await self._room()
        until = asyncio.get_running_loop().time() + _PATIENCE_SECONDS
        while True:
            try:
                async with self.database.transaction() as db:
                    records: list[Record] = await make(db, await writing.begin(db))
                    await outbox.append(db, records)
            except DBAPIError as error:
                is_late = asyncio.get_running_loop().time() >= until
                if is_late or not is_transient(error):
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return len(records)

    async def _room(self) -> None:
        loop = asyncio.get_running_loop()
        until, before = loop.time() + _PATIENCE_SECONDS, -1
        while (waiting := await self._waiting()) > _MOST_WAITING:
            if waiting != before:
                until, before = loop.time() + _PATIENCE_SECONDS, waiting
            if loop.time() >= until:
                raise NobodyRelaysError
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _waiting(self) -> int:
        async with self.database.reading() as db:
            return await outbox.count(db)

    async def _ghosts(self) -> list[str]:
        """The keys that are on the topic with a state and not in the database, now."""
        last: dict[bytes, bool] = {}
        async with reader(self.admin) as consumer:
            places = await partitions_of(self.admin, USERS_STATE.name(self.namespace))
            async for records in read(consumer, await spans(consumer, places, None, None)):
                newest = {each.key or b"": each.value is not None for each in records}
                named = _ids(key.decode(errors="replace") for key in newest)
                async with self.database.reading() as db:
                    there = await users.present(db, named.values())
                last |= {
                    key: is_there
                    for key, is_there in newest.items()
                    if named.get(key.decode(errors="replace")) not in there
                }
        return sorted(key.decode() for key, is_there in last.items() if is_there and _is_text(key))


def _ids(keys: Any) -> dict[str, UUID]:  # noqa: ANN401
    found: dict[str, UUID] = {}
    for key in keys:
        try:
            id_ = UUID(key)
        except ValueError:
            continue
        if str(id_) == key:
            found[key] = id_
    return found


def _is_text(key: bytes) -> bool:
    """A row of the outbox has text for a key, without NUL."""
    return bool(key) and b"\0" not in key and key.decode(errors="replace").encode() == key


def _record(key: str, at: datetime, told: UserState | None) -> Record:
    return record_of(USERS_STATE, key, UserState.wire_type(), told, id_=new_id(), at=at)
