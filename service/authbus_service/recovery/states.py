"""What everybody may know of users, on `auth.state.users.v1`.

It is taken from there for those of whom something is lost, and told as it is now.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.state import UserState
from authbus.topics import USERS_STATE
from authbus_service.auth import repository
from authbus_service.auth.proof import Proof
from authbus_service.auth.users import repository as users_repository
from authbus_service.auth.users import service as users
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.sets import Writes
from authbus_service.outbox import repository as outbox
from authbus_service.outbox.records import record_of
from authbus_service.recovery.reading import Topics
from authbus_service.recovery.report import Report

_AT_ONCE = 500
_NO_STATE = f"nothing is on {USERS_STATE.suffix}: the account is there, without address and profile"


async def take_states(
    database: Database, topics: Topics, wanted: Collection[UUID], report: Report
) -> None:
    """Bring these users' address, profile, status and roles back as they were said last."""
    if not wanted:
        return
    found = await _newest(topics, wanted)
    states = list(found.values())
    for begin in range(0, len(states), _AT_ONCE):
        await _take(database, states[begin : begin + _AT_ONCE])
    for user_id in wanted - found.keys():
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


async def _newest(topics: Topics, wanted: Collection[UUID]) -> dict[UUID, UserState]:
    names = {str(each).encode(): each for each in wanted}
    found: dict[UUID, UserState] = {}
    async for batch in topics.batches([USERS_STATE], None):
        for _, record in batch:
            if (user_id := names.get(record.key or b"")) is None:
                continue
            try:
                found[user_id] = UserState.model_validate_json(record.value or b"")
            except ValidationError:
                found.pop(user_id, None)
    return found


async def _take(database: Database, states: list[UserState]) -> None:
    async with database.transaction() as db:
        proofs = [Proof(user_id=each.user_id) for each in states]
        rows, _ = await repository.lock(db, proofs, wait=True)
        for state in states:
            if rows.user(state.user_id) is not None:
                users.restored(state, rows.users)
        await repository.flush(db, rows, Writes())
