"""Writers as the service's group transactions are: rows under the locks of their users."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from authbus_service.auth.users.models import UserRow
from authbus_service.core.database import Database, connect
from authbus_service.outbox.repository import append
from tests.integration.relay.world import World, a_record

WRITERS = 8
USERS = 24
ROLLED_BACK = 0.1


class RollBackError(Exception):
    """A transaction that is not to be."""


@dataclass
class Written:
    """The value of every record that was committed, and how many were rolled back."""

    committed: list[bytes] = field(default_factory=list[bytes])
    rolled_back: int = 0


@asynccontextmanager
async def writing(world: World) -> AsyncGenerator[Written]:
    """Eight of them write while the block runs."""
    written = Written()
    database = connect(
        world.database.engine.url.render_as_string(hide_password=False), connections=WRITERS
    )
    users = [uuid4() for _ in range(USERS)]
    await _make(database, users)
    over = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as writers:
            for _ in range(WRITERS):
                writers.create_task(_write(database, users, written, over))
            try:
                yield written
            finally:
                over.set()
    finally:
        await database.close()


async def _make(database: Database, users: list[UUID]) -> None:
    rows = [
        {
            "id": user,
            "sequence": 0,
            "status": "active",
            "email": "",
            "email_verified": False,
            "roles": "",
            "devices": b"",
            "profile": {},
            "password_hash": "",
            "credential_version": 0,
            "created_at": func.clock_timestamp(),
        }
        for user in users
    ]
    async with database.transaction() as db:
        await db.execute(insert(UserRow).values(rows))


async def _write(
    database: Database, users: list[UUID], written: Written, over: asyncio.Event
) -> None:
    while not over.is_set():
        chosen = sorted(random.sample(users, random.choice((1, 1, 2, 3))))
        try:
            values = await _one_transaction(database, chosen)
        except RollBackError:
            written.rolled_back += 1
        else:
            written.committed += values
        await asyncio.sleep(random.uniform(0.01, 0.05))


async def _one_transaction(database: Database, users: list[UUID]) -> list[bytes]:
    async with database.transaction() as db:
        locked = (
            select(UserRow.id, UserRow.sequence).where(UserRow.id.in_(users)).order_by(UserRow.id)
        )
        sequences = {row.id: row.sequence for row in await db.execute(locked.with_for_update())}
        events = Counter({user: random.choice((1, 1, 2, 3)) for user in users})
        records = [
            a_record(str(user), f"{user} {sequences[user] + n}".encode())
            for user in users
            for n in range(1, events[user] + 1)
        ]
        await append(db, records)
        for user in users:
            more = UserRow.sequence + events[user]
            await db.execute(update(UserRow).where(UserRow.id == user).values(sequence=more))
        await asyncio.sleep(random.choice((0, 0, 0.005, 0.02)))
        if random.random() < ROLLED_BACK:
            raise RollBackError
    return [record.payload or b"" for record in records]
