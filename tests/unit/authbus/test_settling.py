"""A group that settles anew while one of its members begins to tell all users."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition

from authbus import EventStream, SnapshotBegins, SnapshotEnds
from authbus.stream import Told
from authbus.topics import EVENTS

PLACE = TopicPartition(EVENTS.name(), 0)
TOLD = "authbus: users told, states below 0"

Kept = dict[TopicPartition, tuple[int, str]]


class Reader:
    """Reads a topic on which there is nothing."""

    def __getattr__(self, name: str) -> object:
        def nothing(*_: object) -> int:
            return 0

        return nothing

    async def position(self, _: TopicPartition) -> int:
        return 0

    async def beginning_offsets(self, places: Iterable[TopicPartition]) -> Mapping[Any, int]:
        return dict.fromkeys(places, 0)

    end_offsets = beginning_offsets


class Member(Reader):
    """One of a group; a commit of its own waits for as long as it is held."""

    listener: ConsumerRebalanceListener

    def __init__(self, kept: Kept) -> None:
        self.kept, self.mine, self.sought = kept, {PLACE}, list[tuple[TopicPartition, int]]()
        self.asked, self.free = asyncio.Event(), asyncio.Event()
        self.free.set()

    def subscribe(self, _: list[str], *, listener: ConsumerRebalanceListener) -> None:
        self.listener = listener

    def assignment(self) -> set[TopicPartition]:
        return set(self.mine)

    async def getmany(self, **_: object) -> dict[TopicPartition, list[object]]:
        await asyncio.sleep(0)
        return {}

    async def commit(self, offsets: Kept) -> None:
        self.asked.set()
        await self.free.wait()
        self.kept |= offsets

    def seek(self, at: TopicPartition, offset: int) -> None:
        self.sought.append((at, offset))

    async def loses(self) -> None:
        """The group asks for what this member has; until it is assigned, aiokafka tells the old."""
        await self.listener.on_partitions_revoked(self.mine)  # pyright: ignore[reportGeneralTypeIssues]

    async def gets(self, *places: TopicPartition) -> None:
        self.mine = set(places)
        await self.listener.on_partitions_assigned(self.mine)  # pyright: ignore[reportGeneralTypeIssues]


class Kafka:
    """A connection to what a group keeps, and to nothing else."""

    def __init__(self, member: Member) -> None:
        self.member = member

    def consumer(self, group: str | None = None, **_: object) -> Reader:
        return Reader() if group is None else self.member

    async def places(self, topics: Iterable[str]) -> Mapping[str, frozenset[int]]:
        return dict.fromkeys(topics, frozenset({0}))

    async def committed(self, _: str, places: Iterable[TopicPartition]) -> Kept:
        return {at: self.member.kept.get(at, (-1, "")) for at in places}

    async def open(self, _: Reader) -> None:
        """There is nothing to open."""

    async def close(self, _: Reader) -> None:
        """Nor to close."""


@asynccontextmanager
async def telling(member: Member) -> AsyncGenerator[list[Told]]:
    """What the member's loop is told, which runs beside the test."""
    stream, heard = EventStream("localhost:1", group="g"), list[Told]()
    kafka: Any = Kafka(member)
    stream._connection = kafka

    async def listen() -> None:
        async with stream, aclosing(stream.bootstrap()) as told:
            async for each in told:
                heard.append(each)

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])


async def a_while() -> None:
    """Let the member go round its loop many times."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_a_revoke_while_the_beginning_is_kept_begins_again() -> None:
    member = Member({})
    member.free.clear()
    async with telling(member) as heard:
        await member.asked.wait()
        await member.loses()
        member.free.set()
        await a_while()
        early = list(heard)
        await member.gets(PLACE)
        await a_while()

    assert early == [SnapshotBegins(fresh=True)]
    assert heard == [*early, SnapshotBegins(fresh=False), SnapshotEnds(users=0)]


async def test_what_is_anothers_is_not_admitted_while_a_group_settles() -> None:
    member = Member({PLACE: (3, TOLD)})
    async with telling(member):
        await a_while()
        await member.loses()
        await a_while()
        before = list(member.sought)
        await member.gets()
        await a_while()
        member.kept[PLACE] = 7, TOLD
        await member.loses()
        await member.gets(PLACE)
        await a_while()

    assert before == [(PLACE, 3)]
    assert member.sought == [(PLACE, 3), (PLACE, 7)]


async def test_a_loop_that_begins_while_a_group_settles_waits_for_it() -> None:
    member = Member({})
    stream: Any = EventStream("localhost:1", group="g")
    stream._connection = Kafka(member)
    async with stream:
        await member.loses()
        async with aclosing(stream.bootstrap()) as told:
            first = asyncio.create_task(anext(told))
            await a_while()
            early = first.done()
            await member.gets(PLACE)
            await a_while()
            begun = await first

    assert not early
    assert begun == SnapshotBegins(fresh=True)
