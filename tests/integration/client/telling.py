"""What the loops of a bootstrap are told."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from uuid import UUID

from authbus import EventStream, SnapshotEnds, StreamEvent, UserState
from authbus.stream import Told


async def take(stream: EventStream, enough: Callable[[list[Told]], bool]) -> list[Told]:
    """What a loop is told until that is enough; the last of it is unfinished."""
    heard: list[Told] = []
    async with asyncio.timeout(20), stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            if enough(heard):
                break
    return heard


async def until_quiet(stream: EventStream) -> list[Told]:
    """What a loop is told until it has nothing more to tell; all of it is finished."""
    heard: list[Told] = []
    async with stream, aclosing(stream.bootstrap()) as telling:
        with suppress(TimeoutError):
            while True:
                heard.append(await asyncio.wait_for(anext(telling), 3))
    return heard


def so_many(count: int) -> Callable[[list[Told]], bool]:
    return lambda heard: len(heard) >= count


def ended(heard: list[Told]) -> bool:
    return isinstance(heard[-1], SnapshotEnds)


def users(heard: list[Told]) -> dict[UUID, int]:
    return {each.user_id: each.sequence for each in heard if isinstance(each, UserState)}


def events(heard: list[Told]) -> list[tuple[UUID, int]]:
    return [(each.user_id, each.sequence) for each in heard if isinstance(each, StreamEvent)]
