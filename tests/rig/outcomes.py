"""A running service and a watch on all it says: what became of each record."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from authbus import LogIn, LogOut
from authbus.topics import CREDENTIALS, DEAD_LETTERS, SESSIONS
from authbus_service.core.ids import new_id
from authbus_service.core.logging import configure
from tests.rig.logs import Lines
from tests.rig.producing import Draft
from tests.rig.topics import places
from tests.rig.world import World

KEY = b"k"


@dataclass
class Watch:
    """Sends records onto one partition and says what became of each."""

    world: World
    log: Lines
    letters: dict[tuple[str, int, int], list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    raw_letters: list[bytes] = field(default_factory=list)
    tried: list[tuple[UUID, tuple[str, int, int]]] = field(default_factory=list)

    async def outcome(self, draft: Draft, *, partition: int = 0) -> str:
        """What became of this record, sent alone: a refusal's code, a reply's name or a reason."""
        sent = await self.world.web.send(draft, partition=partition)
        return await self.became(draft.id, self.suffix(draft.topic), partition, sent.offset)

    def good(self, suffix: str) -> Draft:
        """A right command for this topic, whose answer is a refusal by its handler."""
        unknown = SecretStr("none of this is known")
        if suffix == CREDENTIALS.suffix:
            return self.world.web.draft(LogIn(email="no@example.com", password=unknown), key=KEY)
        ask = LogOut(session_id=new_id(), refresh_token=unknown)
        draft = self.world.web.draft(ask, key=KEY)
        return draft.but(topic=f"{self.world.namespace}.{suffix}")

    def suffix(self, topic: str) -> str:
        return topic.removeprefix(f"{self.world.namespace}.")

    async def became(self, id_: UUID, suffix: str, partition: int, offset: int) -> str:
        """Wait for a record's one outcome."""
        place = (suffix, partition, offset)
        self.tried.append((id_, place))
        async with asyncio.timeout(5):
            while not (outcomes := self._outcomes(id_, place)):  # noqa: ASYNC110 - two topics
                await asyncio.sleep(0.005)
        return outcomes[0]

    def all_had_one_outcome(self) -> None:
        """No record was answered twice, or answered and buried."""
        assert not [outcomes for each in self.tried if len(outcomes := self._outcomes(*each)) != 1]

    async def nothing_lags(self, consumer: AIOKafkaConsumer) -> None:
        """Wait until the fence stands at the end of every partition that was written to."""
        names = {t.name(self.world.namespace): t.suffix for t in (CREDENTIALS, SESSIONS)}
        places = [TopicPartition(name, 0) for name in names]
        ends = await consumer.end_offsets(places)
        wanted = {(names[place.topic], offset) for place, offset in ends.items() if offset}
        async with asyncio.timeout(5):
            while True:
                rows = await self.world.rows("SELECT * FROM fence WHERE partition = 0")
                if wanted <= {(row["topic"], row["next_offset"]) for row in rows}:
                    return
                await asyncio.sleep(0.05)

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; each line must be one JSON object of ASCII."""
        assert self.log.getvalue().isascii()
        return self.log.read_all()

    def _outcomes(self, id_: UUID, place: tuple[str, int, int]) -> list[str]:
        kinds = [dict(record.headers)["ce_type"] for record in self.world.web.answers(id_)]
        said = [
            json.loads(record.value or b"{}")["code"] if b"Rejected" in kind else kind.decode()
            for kind, record in zip(kinds, self.world.web.answers(id_), strict=True)
        ]
        return [*said, *(letter["reason"] for letter in self.letters[place])]

    async def follow(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            letter = json.loads(record.value or b"{}")
            self.raw_letters.append(record.value or b"")
            place = (letter["topic"], letter["partition"], letter["offset"])
            self.letters[place].append(letter)


@asynccontextmanager
async def watching(world: World) -> AsyncGenerator[Watch]:
    """The consumers run, the log is caught as the service writes it, dead letters are followed."""
    watch = Watch(world, Lines())
    letters = AIOKafkaConsumer(bootstrap_servers=world.servers, auto_offset_reset="earliest")
    await letters.start()
    letters.assign(await places(world.servers, DEAD_LETTERS, world.namespace))
    task = asyncio.create_task(watch.follow(letters))
    try:
        with _logging_to(watch.log):
            async with world.consuming() as consumers:
                for suffix in (CREDENTIALS.suffix, SESSIONS.suffix):
                    await world.web.ask(watch.good(suffix))
                yield watch
                watch.all_had_one_outcome()
                await watch.nothing_lags(letters)
                assert consumers.failure is not None
                assert not consumers.failure.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await letters.stop()


@contextmanager
def _logging_to(log: Lines) -> Generator[None]:
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    configure("json", "info", log)
    try:
        yield
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        logging.captureWarnings(capture=False)
