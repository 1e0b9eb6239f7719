"""Looks at the offsets of the command topics again and again, also while things are broken."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from authbus.kafka.stopping import stop
from authbus.topics import COMMAND_TOPICS, TOPICS, Topic
from authbus_service.cluster import Admin, ClusterError
from authbus_service.consumers.intakes import groups_of
from tests.chaos.checker.history import Offsets, Place, Stable
from tests.chaos.run.nemesis import Struck
from tests.chaos.run.nodes import FROM_PEERS
from tests.chaos.run.stage import NAMESPACE, Stage

_PAUSE, _LOOK_SECONDS = 1.0, 8.0
_BROKEN = (KafkaError, ClusterError, OSError, TimeoutError, asyncpg.PostgresError)
_HELD = (asyncpg.InterfaceError, asyncpg.InternalClientError, ConnectionError)


@dataclass
class Looker:
    """`missed` are the looks that failed because something was down."""

    stage: Stage
    looks: list[Offsets] = field(default_factory=list[Offsets])
    missed: int = 0

    async def go_on(self) -> None:
        """Look once a second; never returns."""
        while True:
            try:
                self.looks += await asyncio.wait_for(self.look(), _LOOK_SECONDS)
            except (*_BROKEN, *_HELD):
                self.missed += 1
            await asyncio.sleep(_PAUSE)

    async def look(self) -> list[Offsets]:
        """The group, then the fence, then the end: see `checker.offsets`."""
        committed: dict[Place, int] = {}
        since = monotonic()
        async with Admin.connect(self.stage.servers, {}) as admin:
            for group in groups_of(NAMESPACE):
                for (topic, partition), offset in (await admin.committed(group)).items():
                    committed[short(topic), partition] = offset
        async with self.stage.database() as db:
            rows = await db.fetch("SELECT topic, partition, next_offset FROM fence")
        fence = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        ends = await read_ends(self.stage.servers, COMMAND_TOPICS)
        at = monotonic()
        return [
            Offsets(
                since=since,
                at=at,
                place=each,
                committed=committed.get(each),
                fence=fence.get(each),
                end=end,
            )
            for each, end in ends.items()
        ]

    async def stable(self) -> list[Stable]:
        """Where all topics end, for both kinds of readers."""
        ends = await read_ends(self.stage.servers, TOPICS)
        stable = await read_ends(self.stage.servers, TOPICS, "read_committed")
        return [Stable(place, stable[place], end) for place, end in ends.items()]

    async def until_stable(self) -> float:
        """Wait until no transaction is open that was open at the first look; returns the time.

        Each partition is looked at until its stable end is where it ended shortly before: what is
        begun meanwhile is none of this.
        """
        open_: set[Place] | None = None
        while True:
            with suppress(*_BROKEN, *_HELD):
                found = await asyncio.wait_for(self.stable(), _LOOK_SECONDS)
                hanging = {each.place for each in found if each.stable < each.end}
                open_ = hanging if open_ is None else open_ & hanging
            if open_ is not None and not open_:
                return monotonic()
            await asyncio.sleep(_PAUSE)


def beside(looks: Iterable[Offsets], struck: Iterable[Struck]) -> tuple[Offsets, ...]:
    """These looks, those marked that may have gone to a node that its peers had lost."""
    cuts = [each for each in struck if each.name in FROM_PEERS]
    return tuple(
        replace(look, divided=any(look.since <= e.healed and e.began <= look.at for e in cuts))
        for look in looks
    )


async def read_ends(
    servers: str, topics: tuple[Topic, ...], isolation: str = "read_uncommitted"
) -> Mapping[Place, int]:
    """Where each partition of these topics ends for such a reader."""
    places = [
        TopicPartition(topic.name(NAMESPACE), each)
        for topic in topics
        for each in range(topic.partitions)
    ]
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, isolation_level=isolation)
    try:
        await consumer.start()
        # It hears of all topics at once then; else of each a tenth of a second after the other.
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
    finally:  # also when it could not start
        await stop(consumer)
    return {(short(each.topic), each.partition): end for each, end in ends.items()}


def short(topic: str) -> str:
    return topic.removeprefix(f"{NAMESPACE}.")
