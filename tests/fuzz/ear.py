"""Hears all that a service says to its clients and of dead records, and when."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.envelope import read_headers
from authbus.topics import DEAD_LETTERS, replies

CLIENTS = ("web", "demo")

Place = tuple[str, int, int]


@dataclass(frozen=True)
class Heard:
    """A refusal's code, a reply's type or a dead letter's reason; and when."""

    what: str
    at: float


@dataclass
class Ear:
    answers: dict[str, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    letters: dict[Place, list[Heard]] = field(default_factory=lambda: defaultdict(list))
    buried: Counter[str] = field(default_factory=Counter[str])

    def of(self, ids: Iterable[UUID], places: Iterable[Place]) -> list[Heard]:
        """All that was said of these commands and places."""
        said = [each for id_ in ids for each in self.answers.get(str(id_), ())]
        return said + [each for place in places for each in self.letters.get(place, ())]

    def forget(self, ids: Iterable[UUID], places: Iterable[Place]) -> None:
        """Keep no more of these."""
        for id_ in ids:
            self.answers.pop(str(id_), None)
        for place in places:
            self.letters.pop(place, None)

    def clear(self) -> None:
        """Forget all so far."""
        self.answers.clear()
        self.letters.clear()

    def all(self) -> list[str]:
        """All that is not forgotten."""
        said = [*self.answers.values(), *self.letters.values()]
        return [heard.what for each in said for heard in each]

    async def until(self, enough: Callable[[], bool], *, within: float) -> bool:
        """Wait; False when time ran out."""
        end = monotonic() + within
        while not (done := enough()) and monotonic() < end:  # noqa: ASYNC110 - many are waited for
            await asyncio.sleep(0.005)
        return done

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        async for record in consumer:
            self._take(record)

    def _take(self, record: Any) -> None:
        now, headers = monotonic(), read_headers(record.headers)
        kind = headers["ce_type"]
        if "DeadLetter." in kind:
            letter = json.loads(record.value)
            place = (letter["topic"], letter["partition"], letter["offset"])
            self.letters[place].append(Heard(letter["reason"], now))
            self.buried[letter["reason"]] += 1
            return
        what = json.loads(record.value)["code"] if "Rejected" in kind else kind
        self.answers[headers["ce_causationid"]].append(Heard(what, now))


@asynccontextmanager
async def hearing(servers: str, namespace: str) -> AsyncGenerator[Ear]:
    """All that a namespace says, from its first record on."""
    ear = Ear()
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    places = [(DEAD_LETTERS, n) for n in range(DEAD_LETTERS.partitions)]
    places += [(replies(client), 0) for client in CLIENTS]
    consumer.assign([TopicPartition(topic.name(namespace), n) for topic, n in places])
    task = asyncio.create_task(ear.listen(consumer))
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()
