"""What everybody may know of users, on `auth.state.users.v1`.

It is taken from there for those of whom something is lost, and told as it is now.
"""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from aiokafka import TopicPartition
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.state import UserState
from authbus.topics import USERS_STATE
from authbus_service.auth import repository
from authbus_service.auth.proof import Proof
from authbus_service.auth.users import repository as users_repository
from authbus_service.auth.users import service as users
from authbus_service.consumers.labels import claimed_id
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.sets import Writes
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.records import record_of
from authbus_service.recovery.reading import Reader, Record, Topics
from authbus_service.recovery.report import Report

_AT_ONCE = 500
_NO_STATE = f"nothing is on {USERS_STATE.suffix}: the account is there, without address and profile"


async def take_states(
    database: Database, topics: Topics, wanted: set[UUID], report: Report
) -> None:
    """Bring these users' address, profile, status and roles back as they were said last.

    Who is found is not `wanted` any more. All may be lost at once: held is where the last word of
    each lies, of one partition after the other, and then no more states than are written at once.
    """
    if not wanted:
        return
    every = [USERS_STATE]
    async with topics.reader(every, None) as first, topics.reader(every, None) as again:
        for place in sorted(first.left):
            last = await _last_words(first, place, wanted)
            async for states in _read(again, place, last):
                wanted -= {each.user_id for each in states}
                await _take(database, states)
    for user_id in wanted:
        report.miss(user_id, "state", _NO_STATE)


async def renew_states(db: AsyncConnection, at: datetime) -> None:
    """States that a rebuild left waiting are written as they are now: newer ones may be said."""
    keys = await outbox.take_retold(db, USERS_STATE)
    found = await users_repository.read(db, map(UUID, keys))
    states = {str(user.id): users.state(user) for user in found}
    kind = UserState.wire_type()
    records = (
        record_of(USERS_STATE, key, kind, states.get(key), id_=new_id(), at=at) for key in keys
    )
    await outbox.append(db, list(records))


async def _last_words(
    reader: Reader, place: TopicPartition, wanted: Collection[UUID]
) -> dict[UUID, int]:
    """The offset of the newest record of each of these on a partition, if it is no tombstone."""
    found: dict[UUID, int] = {}
    async for record in _records(reader, place):
        user_id = _named(record)
        if user_id is None or user_id not in wanted:
            continue
        if record.value is None:
            found.pop(user_id, None)
        else:
            found[user_id] = record.offset
    return found


async def _read(
    reader: Reader, place: TopicPartition, last: Mapping[UUID, int]
) -> AsyncGenerator[list[UserState]]:
    """What these records say, some at a time; what cannot be read is left out."""
    if not last:
        return
    some: list[UserState] = []
    async for record in _records(reader, place):
        user_id = _named(record)
        if user_id is None or last.get(user_id) != record.offset:
            continue
        with suppress(ValidationError):
            state = UserState.model_validate_json(record.value or b"")
            some += [state] if state.user_id == user_id else []
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


async def _records(reader: Reader, place: TopicPartition) -> AsyncGenerator[Record]:
    while place in reader.left:
        for _, record in await reader.some([place]):
            yield record


def _named(record: Record) -> UUID | None:
    return claimed_id((record.key or b"").decode(errors="replace"))


async def _take(database: Database, states: list[UserState]) -> None:
    async with database.transaction() as db:
        proofs = [Proof(user_id=each.user_id) for each in states]
        rows, _ = await repository.lock(db, proofs, wait=True)
        for state in states:
            if rows.user(state.user_id) is not None:
                users.restored(state, rows.users)
        await repository.flush(db, rows, Writes())
