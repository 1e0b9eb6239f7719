"""Binds the gauges to what they are read from; nothing is counted while a command is handled."""

from collections.abc import Sequence
from functools import partial

from authbus_service.consumers.subscriber import Intake
from authbus_service.core import clock
from authbus_service.core.metrics import Metrics, reads
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.relay.loop import RelayState


def bind_gauges(
    metrics: Metrics, intakes: Sequence[Intake], relay: RelayState, hashes: HashPool
) -> None:
    """From now on a scrape reads these parts of the process."""
    for intake in intakes:
        reads(metrics.lanes, partial(_lanes, intake), intake.name)
        reads(metrics.in_flight, partial(_in_flight, intake), intake.name)
        reads(metrics.assigned, partial(_assigned, intake), intake.name)
        reads(metrics.silent, partial(silent_seconds, intake), intake.name)
        for topic in intake.topics.values():
            reads(metrics.lag, partial(_lag, intake, topic.suffix), topic.suffix)
    reads(metrics.relay_leads, lambda: float(relay.leading))
    reads(metrics.outbox_age, lambda: relay.oldest_age if relay.leading else 0.0)
    reads(metrics.hash_threads, lambda: hashes.width)
    reads(metrics.hash_running, lambda: hashes.running)
    reads(metrics.hash_queued, lambda: hashes.queued)


def silent_seconds(intake: Intake) -> float:
    """For how long Kafka has not answered a fetch; 0 where it was asked for nothing yet."""
    member = intake.member()
    at = None if member is None else member.answered_at()
    return 0.0 if at is None else max(0.0, (clock.now() - at).total_seconds())


def _lanes(intake: Intake) -> float:
    return intake.lanes.running


def _in_flight(intake: Intake) -> float:
    return intake.progress.unfinished


def _assigned(intake: Intake) -> float:
    member = intake.member()
    return 0 if member is None else len(member.partitions)


def _lag(intake: Intake, topic: str) -> float:
    now = clock.now()
    ages = [
        (now - each.appended_at).total_seconds()
        for each in intake.progress.oldest()
        if each.place[0] == topic
    ]
    return max(0.0, *ages, 0.0)
