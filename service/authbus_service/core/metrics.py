"""Every metric of a process, in one place: what it is called, its labels, its buckets.

Labels have few values, all of them ours: a topic, a stage, a code of the contract. What a stranger
writes never becomes one. One more is on every series: the installation that the process is part of,
for several may be scraped by one Prometheus. Its name is none that whoever scrapes gives a target.
"""

from collections.abc import Iterator
from enum import StrEnum

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from authbus_service.core.meters import Count, Reading, Spread

PREFIX = "authbus_"
INSTALLATION = "installation"
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Stage(StrEnum):
    """What a command's time goes into, in this order; `prepare` has `hash` in it."""

    WAIT = "wait"
    OPEN = "open"
    PREPARE = "prepare"
    HASH = "hash"
    COMMIT = "commit"
    REPLY = "reply"
    HANDLED = "handled"


class Metrics:
    """The metrics of one process, on a registry of their own."""

    def __init__(self) -> None:
        """All at zero; what is read elsewhere has to be bound, see startup.gauges."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._of_commands()
        self._of_consumers()
        self._of_the_relay()
        self._of_hashes_and_mails()

    def exposed(self, installation: str) -> tuple[bytes, str]:
        """What Prometheus scrapes of the process of an installation, and its content type."""
        shown = CollectorRegistry()
        shown.register(_Labelled(self._registry, installation))
        return generate_latest(shown), CONTENT_TYPE_LATEST

    def names(self) -> set[str]:
        """What the metrics are called in a query, process_... among them."""
        families = self._registry.collect()
        return {name for each in families for name in _queried(each.name, each.type)}

    def _of_commands(self) -> None:
        self.commands = self._count("commands", "Commands that are finished", "type", "outcome")
        self.stages = self._spread(
            "stage_seconds", "Time of commands by stage", "stage", _SECONDS, *Stage
        )
        writers = ("hashed", "cheap")
        self.group_size = self._spread(
            "group_size", "Commands in one transaction", "writer", _SIZES, *writers
        )
        self.group_window = self._spread(
            "group_window_seconds",
            "Time that a group waited for company",
            "writer",
            _SECONDS,
            *writers,
        )
        self.retries = self._count("retries", "What failed and was tried again", "what")
        self.dead_letters = self._count("dead_letters", "Records that cannot be handled", "reason")
        self.lost_replies = self._count("lost_replies", "Answers that Kafka did not take")

    def _of_consumers(self) -> None:
        self.lag = self._reading("lag_seconds", "Age of the oldest unfinished command", "topic")
        self.lanes = self._reading("lanes", "Keys whose commands are under way", "consumer")
        self.in_flight = self._reading("in_flight", "Commands taken, not finished", "consumer")
        self.assigned = self._reading("assigned_partitions", "Partitions of ours", "consumer")
        self.rebalances = self._reading(
            "rebalances",
            "Times that reading stopped to share partitions anew",
            "consumer",
            counts=True,
        )
        self.silent = self._reading(
            "last_poll_seconds", "Time since Kafka last answered a fetch", "consumer"
        )
        self.clock_ahead = self._reading(
            "clock_ahead_seconds", "How far this clock is ahead of the database's"
        )

    def _of_the_relay(self) -> None:
        self.relay_leads = self._reading("relay_leads", "1 in the process whose relay leads")
        self.outbox_age = self._reading(
            "outbox_oldest_seconds", "Age of the oldest unsaid record, where the relay leads"
        )
        self.held_back = self._reading(
            "feed_held_back_seconds",
            "For how long an open transaction holds back what is said of ended sessions",
        )
        self.relay_batches = self._reading("relay_batches", "Kafka transactions", counts=True)
        self.relay_records = self._reading("relay_records", "Records that were said", counts=True)
        self.relay_restarts = self._reading(
            "relay_restarts", "Why the relay started over", "reason", counts=True
        )

    def _of_hashes_and_mails(self) -> None:
        self.hash_threads = self._reading("hash_threads", "Hashes that can run at a time")
        self.hash_running = self._reading("hash_running", "Hashes that run")
        self.hash_queued = self._reading("hash_queued", "Hashes that wait for a thread")
        self.mails = self._count("mails", "Mails by what became of them", "template", "outcome")

    def _count(self, name: str, what: str, *labels: str) -> Count:
        count = Count(PREFIX + name, what, labels)
        self._registry.register(count)
        return count

    def _spread(
        self, name: str, what: str, label: str, bounds: tuple[float, ...], *values: str
    ) -> Spread:
        spread = Spread(PREFIX + name, what, label, bounds)
        spread.begin(*values)
        self._registry.register(spread)
        return spread

    def _reading(self, name: str, what: str, *labels: str, counts: bool = False) -> Reading:
        reading = Reading(PREFIX + name, what, labels, counts)
        self._registry.register(reading)
        return reading


class _Labelled(Collector):
    """All that a registry has, each series with its installation."""

    def __init__(self, registry: CollectorRegistry, installation: str) -> None:
        self._registry = registry
        self._label = {INSTALLATION: installation}

    def collect(self) -> Iterator[Metric]:
        for family in self._registry.collect():
            family.samples = [
                each._replace(labels={**each.labels, **self._label}) for each in family.samples
            ]
            yield family


def _queried(name: str, kind: str) -> set[str]:
    """A family's series, as a query names them."""
    match kind:
        case "counter":
            return {f"{name}_total"}
        case "histogram":
            return {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
        case _:
            return {name}
