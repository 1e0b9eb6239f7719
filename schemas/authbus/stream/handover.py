"""Being told when a group gives partitions to another member, or to this one."""

from collections.abc import Awaitable, Callable, Iterable

from aiokafka import ConsumerRebalanceListener, TopicPartition

Told = Callable[[list[TopicPartition]], Awaitable[None]]


class Handover(ConsumerRebalanceListener):
    """aiokafka awaits these while a group settles who reads what.

    While it is `settling`, what aiokafka calls this consumer's may be another's by now.
    """

    def __init__(self, revoked: Told, assigned: Told) -> None:
        self._revoked, self._assigned = revoked, assigned
        self.settling = False

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        self.settling = True
        await self._revoked(list(revoked))

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        """Reading begins at the committed offsets, unless it is told otherwise."""
        try:
            await self._assigned(list(assigned))
        finally:
            self.settling = False
