"""Where a new group begins: at a time."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

_LOG = logging.getLogger("authbus")
# Kafka knows when a record was appended, which a broker's clock may put before its event's time.
_CLOCKS_APART = timedelta(minutes=5)
_SECONDS = 10.0


def zoned(since: datetime | None) -> datetime | None:
    """The same. Raises ValueError for a time without a zone."""
    if since is not None and since.tzinfo is None:
        raise ValueError("since= takes a time with its zone, like datetime.now(UTC)")
    return since


@dataclass(frozen=True, slots=True)
class Beginning:
    """Called with partitions that are this consumer's from now on; without a time it does nothing.

    It spares reading what is passed over anyway, so a Kafka that cannot tell is no error.
    """

    consumer: AIOKafkaConsumer
    since: datetime | None

    async def __call__(self, places: Iterable[TopicPartition]) -> None:
        """Go to that time, or a little before it, where the group has not read yet."""
        if self.since is None:
            return
        try:
            async with asyncio.timeout(_SECONDS):
                for at, offset in (await self._offsets(places, self.since)).items():
                    self.consumer.seek(at, offset)
        except (KafkaError, TimeoutError) as error:
            _LOG.warning("%s was not found, the oldest event is read first: %r", self.since, error)

    async def _offsets(
        self, places: Iterable[TopicPartition], since: datetime
    ) -> dict[TopicPartition, int]:
        new = [at for at in places if await self.consumer.committed(at) is None]
        if not new:
            return {}
        ends: dict[TopicPartition, int] = await self.consumer.end_offsets(new)
        wanted = int((since - _CLOCKS_APART).timestamp() * 1000)
        found = await self.consumer.offsets_for_times(dict.fromkeys(new, wanted))
        return {at: ends[at] if (known := found.get(at)) is None else known.offset for at in new}
