"""Lanes with a handler that a test holds."""

import asyncio

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.lanes import Lanes
from authbus_service.inbox.fence import Place
from tests.rig.made import an_arrival


class Handler:
    """Handles a record when it is let go; remembers who ran, beside whom, in which order."""

    def __init__(self, *, held: bool = True) -> None:
        self.held = held
        self.running: list[Arrival] = []
        self.done: list[int] = []
        self.most = 0
        self._gates: dict[int, asyncio.Event] = {}

    async def __call__(self, arrival: Arrival) -> None:
        beside = [each for each in self.running if each.lane == arrival.lane]
        assert beside == [], "one key twice at once"
        self.running.append(arrival)
        self.most = max(self.most, len(self.running))
        try:
            if self.held:
                await self._gate(arrival.offset).wait()
            await asyncio.sleep(0)
        finally:
            self.running.remove(arrival)
        self.done.append(arrival.offset)

    @property
    def offsets(self) -> list[int]:
        return [each.offset for each in self.running]

    def release(self, *offsets: int) -> None:
        for offset in offsets:
            self._gate(offset).set()

    def _gate(self, offset: int) -> asyncio.Event:
        return self._gates.setdefault(offset, asyncio.Event())


class Source:
    """A consumer whose partitions can be paused."""

    def __init__(self) -> None:
        self.paused: set[Place] = set()
        self.log: list[str] = []

    def pause(self, place: Place) -> None:
        if place not in self.paused:
            self.log.append("paused")
        self.paused.add(place)

    def resume(self, place: Place) -> None:
        self.log.append("resumed")
        self.paused.discard(place)


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def settled_lanes(lanes: Lanes) -> None:
    async with asyncio.timeout(5):
        while lanes.running:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.001)


def keyed(keys: str, *, first: int = 0) -> list[Arrival]:
    """One record a letter, its key."""
    return [an_arrival(first + n, key.encode()) for n, key in enumerate(keys)]
