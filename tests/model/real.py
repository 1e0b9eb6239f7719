"""The service's own way of a command, on a real PostgreSQL whose clock stands where it is put."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from authbus.contract import REPLIES, topic_of
from authbus.envelope import SEALED_TYPE, Sealed, read_headers
from authbus.events import AnyEvent
from authbus.message import Command, Reply
from authbus.sealing import ReplyKey, seal
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.mismatches import Mismatches
from authbus_service.consumers.sweeping import Sweeper
from authbus_service.core import clock
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.config import Settings
from authbus_service.core.database import connect
from authbus_service.core.ids import id_time
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from tests.model.expected import By
from tests.model.looking import News, emptied, let_the_clock_stand, put_the_clock, seen
from tests.model.people import START, Seen
from tests.model.service import KEYRING, MASTERS, POLICY, WAITS, Mailed
from tests.rig.way import Ear, a_way
from tests.rig.world import CHEAP

_NAMESPACE = "model"
_SETTINGS = Settings(namespace=_NAMESPACE)
_NEVER = 1e9
_JWK = next(record.jwk for record in KEYRING.public_records() if record.use == "enc")


@dataclass(frozen=True)
class Record:
    """A command as it came, and how its answer is read."""

    arrival: Arrival
    command: Command
    by: By
    expires: datetime
    key: ReplyKey = field(repr=False)

    @property
    def made_at(self) -> datetime:
        """The time in its id."""
        made = id_time(self.by.id)
        assert made is not None
        return made


class RealService:
    """See Service. Each `reset` begins with empty tables.

    `records` are those that were asked, with their answers; under some of their ids something else
    was asked later, so often as `mismatched` has it.
    """

    def __init__(self, database_url: str) -> None:
        self.at = START
        self._runner = asyncio.Runner()
        self._ear, self._hashes = Ear(), HashPool(Hasher(CHEAP))
        self._news = News()
        self._tasks: list[asyncio.Task[None]] = []
        self._new, self._found = ([], []), Seen({}, {}, {}, {})
        self.records: list[tuple[Record, Reply]] = []
        self.mismatched = Counter[UUID]()
        self._database = connect(database_url)
        self._run(self._start())

    async def _start(self) -> None:
        await let_the_clock_stand(self._database)
        await self._database.close()
        self._way, writers = a_way(
            self._database, self._ear, self._hashes, KEYRING, POLICY, _SETTINGS
        )
        self._tasks = [asyncio.create_task(each.run()) for each in writers]
        self._sweeper = Sweeper(self._database, MASTERS, _NEVER, lambda: None)

    def close(self) -> None:
        """Let go of everything."""
        self._run(self._stop())
        self._runner.close()
        self._hashes.close()

    async def _stop(self) -> None:
        for each in self._tasks:
            each.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._database.close()

    def reset(self) -> None:
        """Nobody is here, and it is the beginning."""
        self._run(emptied(self._database))
        self.move(START)
        self.records.clear()
        self.mismatched.clear()
        self._way = replace(self._way, mismatches=Mismatches())
        self._news = News()
        self.keep_house()

    def move(self, at: datetime) -> None:
        self.at = at

    def keep_house(self) -> None:
        self._run(self._kept_house())

    async def _kept_house(self) -> None:
        async with self._database.reading() as db:
            await put_the_clock(db, self.at)
        house = Housekeeping(self._database)
        await house.keep_partitions()
        await house.forget()

    def sweep(self) -> None:
        self._run(self._looked_at(self._sweeper.sweep()))

    async def _looked_at(self, doing: Awaitable[object]) -> None:
        """Put the database's clock to where it is to stand, do it, and look at what came of it."""
        async with self._database.reading() as db:
            await put_the_clock(db, self.at)
            await doing
            self._new = await self._news.since(db)
            self._found = await seen(db)

    def ask(self, command: Command, by: By) -> Reply:
        record = self.record(command, by)
        reply = self.send(record)
        if reply is None:
            raise AssertionError("nothing was answered")
        self.records.append((record, reply))
        return reply

    def record(self, command: Command, by: By, *, expires: datetime | None = None) -> Record:
        """A command, sealed."""
        key, until = ReplyKey(), expires or self.at + WAITS
        client = EMBEDDED_CLIENTS[by.client]
        sealed = Sealed(
            id=by.id,
            type=command.wire_type(),
            source=client.source,
            time=self.at,
            expirytime=until,
            reply_to=client.reply_topic.name(_NAMESPACE),
            correlation_id=str(by.id),
            reply_key=dict(key.public),
            data=command.to_json(),
        )
        arrival = Arrival(
            topic=topic_of(type(command)),
            partition=0,
            offset=0,
            key=b"key",
            value=seal(sealed.to_bytes(), _JWK),
            headers=sealed.headers(),
            appended_at=self.at,
        )
        return Record(arrival, command, by, until, key)

    def send(self, record: Record) -> Reply | None:
        """Handle a record; the answer, if there is one."""
        self._ear.heard.clear()
        self._run(self._looked_at(self._way(record.arrival, read_labels(record.arrival))))
        if not self._ear.heard:
            return None
        (letter,) = self._ear.heard
        headers, value = read_headers(letter.headers), letter.value
        if headers["content-type"] == SEALED_TYPE:
            value = record.key.open(value)
        return REPLIES[headers["ce_type"]].model_validate(json.loads(value))

    def news(self) -> tuple[list[AnyEvent], list[Mailed]]:
        return self._new

    def seen(self) -> Seen:
        return self._found

    def _run(self, asked: Any) -> Any:
        with clock.standing_at(self.at):
            return self._runner.run(_in_time(asked), context=copy_context())


async def _in_time(asked: Any) -> Any:
    async with asyncio.timeout(20):
        return await asked
