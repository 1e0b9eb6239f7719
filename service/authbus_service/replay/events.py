"""`authbus replay events --to-topic`: a stretch of the events, copied for a new consumer.

Facts are never told again on a topic of the declaration: every module downstream would hear them.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from authbus.topics import EVENTS, TOPICS
from authbus_service.cluster import Admin
from authbus_service.core.beside import beside
from authbus_service.core.progress import Tell
from authbus_service.reading.ranges import Bound, largest_batch, partitions_of, read, reader, spans
from authbus_service.reading.records import Record, Where
from authbus_service.replay.begun import SKEW, Original, begun_at
from authbus_service.replay.copies import Mark, copied
from authbus_service.replay.copying import Copier, Copy, copier

_FETCH_BYTES = 1_048_576
_REPLIES = "replies."


def is_ours(topic: str, namespace: str) -> bool:
    """Whether a topic is one of the declaration, of this namespace or of any other."""
    first, _, suffix = topic.partition(".")
    declared = {each.suffix for each in TOPICS}
    return first == namespace or suffix in declared or suffix.startswith(_REPLIES)


@dataclass(frozen=True, slots=True)
class EventPlan:
    """Which events, onto which topic, and how. `rate` is in records a second."""

    to: str
    replay_id: UUID
    begin: Bound
    end: Bound | None = None
    where: Where = field(default_factory=Where)
    rate: float | None = None
    dry_run: bool = False
    resumed: bool = False


@dataclass(slots=True)
class CopyReport:
    """How many events were `selected`, and what became of them; `before`: by an earlier run."""

    replay_id: UUID
    to: str
    dry_run: bool
    selected: int = 0
    copied: int = 0
    before: int = 0
    not_sent: int = 0

    @property
    def is_good(self) -> bool:
        """Whether all are there."""
        return not self.not_sent

    def as_json(self) -> dict[str, Any]:
        """All of it, ready to be written."""
        return asdict(self) | {"replay_id": str(self.replay_id)}


@dataclass(frozen=True, slots=True)
class EventReplay:
    """Copies events of one namespace."""

    admin: Admin
    namespace: str
    tell: Tell

    async def run(self, plan: EventPlan) -> CopyReport:
        """Copy, each user's events in their order. Raises ClusterError."""
        report = CopyReport(plan.replay_id, plan.to, plan.dry_run)
        largest = await self._largest(plan)
        async with reader(self.admin, max_partition_fetch_bytes=_FETCH_BYTES) as consumer:
            done = await self._before(consumer, plan) if plan.resumed else set[Original]()
            places = await partitions_of(self.admin, EVENTS.name(self.namespace))
            stretches = await spans(consumer, places, plan.begin, plan.end)
            seen, total = 0, sum(each.length for each in stretches.values())
            async with copier(self.admin, plan.to, plan.rate, largest) as onto:
                run = _Run(plan, done, onto, report, Mark(plan.replay_id))
                async with beside(run.send) as send:
                    async for records in read(consumer, stretches):
                        await send(records)
                        seen += len(records)
                        self.tell("copied", seen, total)
            self.tell("copied", seen, seen)
        return report

    async def _largest(self, plan: EventPlan) -> int:
        await partitions_of(self.admin, plan.to)
        return await largest_batch(self.admin, plan.to)

    async def _before(self, consumer: AIOKafkaConsumer, plan: EventPlan) -> set[Original]:
        """What an earlier run under the same id has copied."""
        places = await partitions_of(self.admin, plan.to)
        since = await spans(consumer, places, begun_at(plan.replay_id) - SKEW, None)
        marks = [copied(each) async for records in read(consumer, since) for each in records]
        mine = str(plan.replay_id)
        return {(of.partition, of.offset) for of in marks if of and of.replay_id == mine}


@dataclass(frozen=True, slots=True)
class _Run:
    """One copying."""

    plan: EventPlan
    done: set[Original]
    onto: Copier
    report: CopyReport
    mark: Mark

    async def send(self, records: Sequence[Record]) -> None:
        """Copy those of these that are asked for and not there yet."""
        report, mark = self.report, self.mark
        chosen = [each for each in records if self.plan.where(each)]
        fresh = [each for each in chosen if (each.partition, each.offset) not in self.done]
        report.selected += len(chosen)
        report.before += len(chosen) - len(fresh)
        if self.plan.dry_run:
            return
        sent = await self.onto.send([Copy(each.key, each.value, mark(each)) for each in fresh])
        missing = sent.count(None)
        report.not_sent += missing
        report.copied += len(sent) - missing
