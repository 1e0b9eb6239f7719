"""`authbus replay events --to-group`: a group's offsets are moved, and it reads the events again.

Nothing is written but the offsets. What the group keeps beside them stays: a view that it has built
from the states is not built again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import OffsetAndMetadata, TopicPartition
from aiokafka.errors import CommitFailedError

from authbus.topics import EVENTS
from authbus_service.cluster import Admin, ClusterError
from authbus_service.cluster.patience import patience
from authbus_service.consumers.intakes import groups_of
from authbus_service.reading.ranges import Bound, partitions_of, reader, spans


class GroupInUseError(ClusterError):
    """The group is being read, or is not one of a module downstream."""


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's offset: where it `was`, None for nowhere, and where it goes.

    `again`: how many offsets are read again; less than 0: so many are passed over.
    """

    partition: int
    was: int | None
    to: int
    end: int

    @property
    def again(self) -> int:
        return (0 if self.was is None else self.was) - self.to


@dataclass(frozen=True, slots=True)
class GroupReplay:
    """Moves groups of one namespace."""

    admin: Admin
    namespace: str

    async def run(self, group: str, begin: Bound, *, dry_run: bool) -> list[Move]:
        """Move, or only tell where to. Raises GroupInUseError and ClusterError."""
        if group in groups_of(self.namespace):
            raise GroupInUseError(
                f"{group} is a group of the service: its offsets follow the fence alone. "
                "Name that of another module"
            )
        name = EVENTS.name(self.namespace)
        places = await partitions_of(self.admin, name)
        kept = await self.admin.marked(group)
        async with reader(self.admin) as consumer:
            stretches = await spans(consumer, places, begin, None)
        moves: dict[TopicPartition, Move] = {}
        for place, span in stretches.items():
            was = kept.get((name, place.partition))
            before = None if was is None or was.offset < 0 else was.offset
            moves[place] = Move(place.partition, before, span.first, span.end)
        await self._refuse_members(group)
        if not any(_is_in(each, kept) for each in places):
            raise ClusterError(
                f"no group {group} has read {name} at {self.admin.servers}. Look how it is "
                "written; a module that is new, or was away for longer than Kafka keeps offsets, "
                "is started until it has read an event, and stopped"
            )
        if not dry_run:
            marks = {each: kept[name, each.partition].mark for each in moves if _is_in(each, kept)}
            await self._commit(group, moves, marks)
        return sorted(moves.values(), key=lambda move: move.partition)

    async def _refuse_members(self, group: str) -> None:
        if members := await self.admin.members(group):
            raise GroupInUseError(
                f"the group {group} has {members} members. Stop that module, wait until Kafka has "
                "missed them (its session time-out), then do it again"
            )

    async def _commit(
        self, group: str, moves: Mapping[TopicPartition, Move], marks: Mapping[TopicPartition, str]
    ) -> None:
        """Kafka itself lets nobody else commit while the group has members."""
        async with reader(self.admin, group_id=group) as consumer:
            consumer.assign(list(moves))
            offsets = {
                place: OffsetAndMetadata(move.to, marks.get(place, ""))
                for place, move in moves.items()
            }
            try:
                async with patience():
                    await consumer.commit(offsets)
            except CommitFailedError:
                raise GroupInUseError(
                    f"the group {group} was joined meanwhile. Stop that module, then do it again"
                ) from None


def _is_in(place: TopicPartition, kept: Mapping[tuple[str, int], Any]) -> bool:
    return (place.topic, place.partition) in kept
