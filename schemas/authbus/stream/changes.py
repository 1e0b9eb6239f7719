"""The states that come after a snapshot, each before the event that made it."""

from collections.abc import AsyncGenerator, Mapping

from aiokafka import TopicPartition

from authbus.kafka.connection import Connection
from authbus.state import UserState
from authbus.stream.patience import patiently
from authbus.stream.snapshot import read_state

_POLL_MS = 200
_AT_ONCE = 500


class Changes:
    """Follows some partitions of auth.state.users.v1, as far as events were read from theirs.

    An event and its state are in one transaction. So when an event is seen, its state, or a newer
    one if the cleaner was there, stands before the end of the states.
    """

    def __init__(self, connection: Connection, topic: str) -> None:
        self._connection, self._topic = connection, topic
        self._told: dict[TopicPartition, int] = {}

    async def open(self) -> None:
        """Connect. Raises AuthUnavailable."""
        self._reader = self._connection.consumer()
        await self._connection.open(self._reader)
        self._marks = self._connection.consumer(isolation="read_uncommitted")
        try:
            await self._connection.open(self._marks)
        except BaseException:
            await self._connection.close(self._reader)
            raise

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close(self._reader)
        await self._connection.close(self._marks)

    async def end(self, at: TopicPartition) -> int:
        """The end of all that was written to a partition, also in transactions that are open.

        Kafka ends a transaction in one partition after the other, so a state may be open for a
        moment longer than its event. Committed records before this end are waited for.
        """
        return (await patiently(self._marks.end_offsets, [at]))[at]

    def follow(self, offsets: Mapping[int, int]) -> None:
        """Tell states of these partitions too, from these offsets on."""
        self._told |= {
            TopicPartition(self._topic, number): offset for number, offset in offsets.items()
        }
        self._reader.assign(list(self._told))
        for place, offset in self._told.items():
            self._reader.seek(place, offset)

    def forget(self, partition: int) -> None:
        """This one is another member's now."""
        self._told.pop(TopicPartition(self._topic, partition), None)

    def told(self, partition: int) -> int:
        """The offset below which each state was told."""
        return self._told.get(TopicPartition(self._topic, partition), 0)

    async def until_now(self, partition: int) -> AsyncGenerator[UserState]:
        """The states of a partition that were not told yet."""
        place = TopicPartition(self._topic, partition)
        end = await self.end(place)
        while self._told.get(place, end) < end:
            found = await patiently(
                self._reader.getmany, place, timeout_ms=_POLL_MS, max_records=_AT_ONCE
            )
            for record in found.get(place, []):
                state = read_state(record)
                if state is not None:
                    yield state
            if place in self._told:
                self._told[place] = await patiently(self._reader.position, place)
