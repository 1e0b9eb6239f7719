"""What is finished, by partition: the lowest unfinished offset is as far as the fence may go."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from authbus_service.consumers.arrival import Arrival
from authbus_service.inbox.fence import Place


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The lowest unfinished record of a partition, and for how many seconds it has been begun."""

    place: Place
    offset: int
    appended_at: datetime
    seconds: float


_NOTHING = (None, 0.0)


@dataclass(slots=True)
class _Partition:
    next: int = 0
    # By offset, each with when it was taken in, or begun.
    unfinished: dict[int, tuple[Arrival, float]] = field(
        default_factory=dict[int, tuple[Arrival, float]]
    )

    @property
    def low(self) -> int:
        return next(iter(self.unfinished), self.next)

    def holds(self, arrival: Arrival) -> bool:
        """Whether it is this very record that is unfinished, and not another at its offset."""
        return self.unfinished.get(arrival.offset, _NOTHING)[0] == arrival

    def low_without(self, done: set[int]) -> int:
        return next((each for each in self.unfinished if each not in done), self.next)


class Progress:
    """Counts records in and out. Offsets of a partition come in order; finished ones in any."""

    def __init__(self) -> None:
        """Nothing is assigned yet."""
        # Two counts that grow with each step, for the watchdog: records taken in or given away (and
        # tries to be let in), records finished.
        self.taken = self.finished = 0
        self._partitions: dict[Place, _Partition] = {}
        # How far the fence is known to be durable. It never goes back, though a log may.
        self.durable: dict[Place, int] = {}

    def begin(self, arrival: Arrival) -> bool:
        """Take a record in. False where it lies below one that was taken: the log went back.

        What is finished is counted anew from this record on then.
        """
        partition = self._partitions.setdefault(arrival.place, _Partition())
        went_back = arrival.offset < partition.next
        if went_back:
            partition = self._partitions[arrival.place] = _Partition()
        partition.unfinished[arrival.offset] = arrival, time.monotonic()
        partition.next = arrival.offset + 1
        self.taken += 1
        return not went_back

    def head(self, arrival: Arrival) -> None:
        """Its turn has come: what it waited for others of its key says nothing of itself."""
        partition = self._partitions.get(arrival.place)
        if partition is not None and partition.holds(arrival):
            partition.unfinished[arrival.offset] = arrival, time.monotonic()

    def finish(self, arrival: Arrival) -> None:
        """This record needs nothing more; unknown ones (revoked meanwhile) are passed over."""
        partition = self._partitions.get(arrival.place)
        if partition is not None:
            if partition.holds(arrival):
                del partition.unfinished[arrival.offset]
            self.finished += 1

    @property
    def unfinished(self) -> int:
        """How many records are taken in and not finished."""
        return sum(len(each.unfinished) for each in self._partitions.values())

    def oldest(self) -> list[Unfinished]:
        """The lowest unfinished record of each partition that has one."""
        at = time.monotonic()
        return [
            Unfinished(place, offset, arrival.appended_at, at - begun_at)
            for place, partition in self._partitions.items()
            for offset, (arrival, begun_at) in islice(partition.unfinished.items(), 1)
        ]

    def span(self, place: Place) -> int:
        """How many offsets lie between the lowest unfinished one and the newest."""
        partition = self._partitions.get(place)
        return 0 if partition is None else partition.next - partition.low

    def below(self, finishing: Iterable[Arrival]) -> dict[Place, int]:
        """Where the fence stands once these records are finished too, for their partitions."""
        done: dict[Place, set[int]] = {}
        for arrival in finishing:
            partition = self._partitions.get(arrival.place)
            if partition is not None and partition.holds(arrival):
                done.setdefault(arrival.place, set()).add(arrival.offset)
        return {
            place: self._partitions[place].low_without(offsets) for place, offsets in done.items()
        }

    def ahead(self) -> dict[Place, int]:
        """Partitions whose fence lags behind what is finished, and where it should be."""
        return {
            place: partition.low
            for place, partition in self._partitions.items()
            if partition.low > self.durable.get(place, 0)
        }

    def moved(self, offsets: Mapping[Place, int]) -> None:
        """The fence is durable up to here."""
        for place, offset in offsets.items():
            if place in self._partitions:
                self.durable[place] = max(offset, self.durable.get(place, 0))

    def safe(self) -> dict[Place, int]:
        """How far Kafka may be told: all below is finished, and the fence is durable."""
        return {
            place: min(offset, self._partitions[place].low)
            for place, offset in self.durable.items()
        }

    def forget(self, places: Iterable[Place]) -> None:
        """These partitions are somebody else's now."""
        self.taken += 1
        for place in places:
            self._partitions.pop(place, None)
            self.durable.pop(place, None)

    def __iter__(self) -> Iterator[Place]:
        """The partitions that records came from."""
        return iter(self._partitions)
