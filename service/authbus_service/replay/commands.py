"""`authbus replay commands`: the same bytes again, and the truth of what became of them.

A copy has its original's key, value, headers and partition, and two headers that mark it. What can
have no effect and no answer any more is counted without one, since a copy stays on Kafka for as
long as a new record: an erased user's commands must not. Killed half-way it goes on under the same
replay id: what it has sent is found on the topic.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.state import DeadLetter
from authbus.topics import DEAD_LETTERS, Topic
from authbus_service.cluster import Admin
from authbus_service.core.beside import beside
from authbus_service.core.clock import at_ms
from authbus_service.core.database import Database
from authbus_service.core.progress import Tell
from authbus_service.reading.ranges import (
    Bound,
    Span,
    largest_batch,
    partitions_of,
    read,
    reader,
    spans,
)
from authbus_service.reading.records import Record, Where
from authbus_service.replay import outcomes
from authbus_service.replay.begun import SKEW, Original, begun_at
from authbus_service.replay.copies import Mark, can_be_copied, copied
from authbus_service.replay.copying import Copier, Copy, copier
from authbus_service.replay.outcomes import Asked, Knowledge, Outcomes, is_vain
from authbus_service.replay.summary import Summary

_Part = tuple[Record, Asked, Knowledge]
# So long before it is sent it is looked up what is known of a record; slow replays look at fewer.
_AHEAD_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """Which records, and how. `rate` is in records a second, `wait` in seconds.

    So long may the service stand still before what it has not come to is left `waiting`.
    """

    topic: Topic
    replay_id: UUID
    begin: Bound
    end: Bound | None = None
    where: Where = field(default_factory=Where)
    rate: float | None = None
    wait: float = 15.0
    dry_run: bool = False
    resumed: bool = False

    @property
    def since(self) -> datetime:
        """When the replay was begun."""
        return begun_at(self.replay_id)


@dataclass(frozen=True, slots=True)
class CommandReplay:
    """Replays commands of one installation."""

    database: Database
    admin: Admin
    namespace: str
    tell: Tell

    async def run(self, plan: Plan) -> Summary:
        """Send, wait for the service, and tell what became of it. Raises ClusterError."""
        name = plan.topic.name(self.namespace)
        summary = Summary(plan.replay_id, name, plan.dry_run)
        followed = Outcomes(self.database, plan.topic.suffix, plan.since, summary)
        async with reader(self.admin) as consumer:
            places = await partitions_of(self.admin, name)
            done = await self._sent_before(consumer, places, plan, followed)
            stretches = await spans(consumer, places, plan.begin, plan.end)
            if plan.dry_run:
                await self._look(consumer, stretches, plan, followed)
                return summary
            largest = await largest_batch(self.admin, name)
            async with copier(self.admin, name, plan.rate, largest) as onto:
                run = _Run(plan, followed, onto, done, Mark(plan.replay_id))
                await self._send(consumer, stretches, run)
            if followed.left:
                self.tell("handled", 0, followed.left)
                await followed.wait(plan.wait)
                await followed.settle(await self._letters(consumer, plan))
        return summary

    async def _send(
        self, consumer: AIOKafkaConsumer, stretches: Mapping[TopicPartition, Span], run: "_Run"
    ) -> None:
        seen, total = 0, sum(each.length for each in stretches.values())
        async with beside(run.send) as send:

            async def look(records: Sequence[Record]) -> None:
                await send(await run.looked_at(records))

            async with beside(look) as start:
                async for records in read(consumer, stretches):
                    for some in turns(records, run.plan):
                        await start(run.chosen(some))
                        seen += len(some)
                        self.tell("sent", seen, total)
        self.tell("sent", seen, seen)

    async def _look(
        self,
        consumer: AIOKafkaConsumer,
        stretches: Mapping[TopicPartition, Span],
        plan: Plan,
        followed: Outcomes,
    ) -> None:
        """Count what would be sent, and how much of it is known to have no effect."""
        done, total, summary = 0, sum(each.length for each in stretches.values()), followed.summary
        async for records in read(consumer, stretches):
            chosen = _chosen(records, plan, summary)
            every = outcomes.asked_now(each for each in chosen if can_be_copied(each))
            for each, seen in zip(every, await followed.look(every), strict=True):
                if is_vain(each, seen):
                    followed.passed_over(seen)
                elif seen is Knowledge.HANDLED:
                    summary.already_handled += 1
                else:
                    summary.undecided += 1
            summary.not_sent += len(chosen) - len(every)
            done += len(records)
            self.tell("looked at", done, total)

    async def _sent_before(
        self,
        consumer: AIOKafkaConsumer,
        places: Sequence[TopicPartition],
        plan: Plan,
        followed: Outcomes,
    ) -> set[Original]:
        """The originals of which this replay has sent copies, before it was killed."""
        done = set[Original]()
        if not plan.resumed:
            return done
        since = await spans(consumer, places, plan.since - SKEW, None)
        async for records in read(consumer, since):
            mine = [
                (each, of)
                for each in records
                if (of := copied(each)) is not None and of.replay_id == str(plan.replay_id)
            ]
            every = [outcomes.asked(each, at_ms(each.timestamp)) for each, _ in mine]
            known = await followed.look(every)
            for (record, of), each, seen in zip(mine, every, known, strict=True):
                done.add((of.partition, of.offset))
                followed.summary.selected += 1
                followed.sent(each, seen, (record.partition, record.offset), before=True)
        return done

    async def _letters(self, consumer: AIOKafkaConsumer, plan: Plan) -> list[DeadLetter]:
        """The dead letters since the replay was begun."""
        places = await partitions_of(self.admin, DEAD_LETTERS.name(self.namespace))
        since = await spans(consumer, places, plan.since - SKEW, None)
        return [
            found
            async for records in read(consumer, since)
            for each in records
            if (found := outcomes.letter(each)) is not None
        ]


@dataclass(frozen=True, slots=True)
class _Run:
    """One replay that sends."""

    plan: Plan
    outcomes: Outcomes
    onto: Copier
    done: set[Original]
    mark: Mark

    def chosen(self, records: Sequence[Record]) -> list[Record]:
        """What is still to be sent of these."""
        left = [each for each in records if (each.partition, each.offset) not in self.done]
        return _chosen(left, self.plan, self.outcomes.summary)

    async def looked_at(self, records: Sequence[Record]) -> list[_Part]:
        """Those of which a copy is to be sent, with what is known of each; the rest is counted."""
        whole = [each for each in records if can_be_copied(each)]
        self.outcomes.summary.not_sent += len(records) - len(whole)
        every = outcomes.asked_now(whole)
        parts: list[_Part] = []
        for part in zip(whole, every, await self.outcomes.look(every), strict=True):
            if is_vain(*part[1:]):
                self.outcomes.passed_over(part[2])
            else:
                parts.append(part)
        return parts

    async def send(self, parts: Sequence[_Part]) -> None:
        """Send a copy of each."""
        mark = self.mark
        copies = [Copy(each.key, each.value, mark(each), each.partition) for each, _, _ in parts]
        for (_, of, seen), lies in zip(parts, await self.onto.send(copies), strict=True):
            if lies is None:
                self.outcomes.summary.not_sent += 1
            else:
                self.outcomes.sent(of, seen, (lies.partition, lies.offset))


def turns(records: Sequence[Record], plan: Plan) -> Iterable[Sequence[Record]]:
    """Parts that are sent soon after they were looked at, however slow that is."""
    size = len(records) if plan.rate is None else max(int(plan.rate * _AHEAD_SECONDS), 1)
    return (records[at : at + size] for at in range(0, len(records), size))


def _chosen(records: Sequence[Record], plan: Plan, summary: Summary) -> list[Record]:
    """Those that are asked for; copies of other replays are passed over and counted."""
    asked_for = [each for each in records if plan.where(each)]
    made_by = [copied(each) for each in asked_for]
    originals = [each for each, of in zip(asked_for, made_by, strict=True) if of is None]
    mine = str(plan.replay_id)
    summary.copies += sum(of is not None and of.replay_id != mine for of in made_by)
    summary.selected += len(originals)
    return originals
