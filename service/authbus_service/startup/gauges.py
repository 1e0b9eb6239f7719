"""Binds what is only read at a scrape to where it is known."""

from collections.abc import Sequence
from functools import partial

from authbus.state import DeadLetterReason
from authbus_service.auth.mails import Template
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.consumers.subscriber import Intake
from authbus_service.core import clock
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.mail.mailer import OUTCOMES
from authbus_service.relay.errors import REASONS
from authbus_service.relay.state import RelayState


def bind_gauges(
    metrics: Metrics,
    intakes: Sequence[Intake],
    house: Housekeeping,
    relay: RelayState,
    hashes: HashPool,
) -> None:
    """From now on a scrape reads these parts of the process."""
    _begin(metrics)
    for intake in intakes:
        metrics.lanes.bind(partial(_lanes, intake), intake.name)
        metrics.in_flight.bind(partial(_in_flight, intake), intake.name)
        metrics.assigned.bind(partial(_assigned, intake), intake.name)
        metrics.rebalances.bind(partial(_rebalances, intake), intake.name)
        metrics.silent.bind(partial(silent_seconds, intake), intake.name)
        for topic in intake.topics.values():
            metrics.lag.bind(partial(_lag, intake, topic.suffix), topic.suffix)
    metrics.clock_ahead.bind(partial(_ahead, house))
    metrics.relay_leads.bind(lambda: float(relay.leading))
    metrics.outbox_age.bind(lambda: relay.oldest_age)
    metrics.held_back.bind(lambda: relay.held_back)
    metrics.relay_batches.bind(lambda: relay.batches)
    metrics.relay_records.bind(lambda: relay.said)
    for reason in REASONS:
        metrics.relay_restarts.bind(partial(_restarts, relay, reason), reason)
    metrics.hash_threads.bind(lambda: hashes.width)
    metrics.hash_running.bind(lambda: hashes.running)
    metrics.hash_queued.bind(lambda: hashes.queued)


def _begin(metrics: Metrics) -> None:
    metrics.lost_replies.begin()
    for reason in DeadLetterReason:
        metrics.dead_letters.begin(reason)
    for template in Template:
        for outcome in OUTCOMES:
            metrics.mails.begin(template, outcome)


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
    """Those that are read: whoever waits for the guard reads none."""
    member = intake.member()
    return 0 if member is None or not member.admitted else len(member.partitions)


def _rebalances(intake: Intake) -> float:
    return intake.rebalances


def _lag(intake: Intake, topic: str) -> float:
    now = clock.now()
    ages = [
        (now - each.appended_at).total_seconds()
        for each in intake.progress.oldest()
        if each.place[0] == topic
    ]
    return max(0.0, *ages, 0.0)


def _ahead(house: Housekeeping) -> float:
    return house.ahead.total_seconds()


def _restarts(relay: RelayState, reason: str) -> float:
    return relay.restarts[reason]
