"""Every metric of a process, in one place: what it is called, its labels, its buckets.

Labels have few values, all of them ours: a topic, a stage, a code of the contract. What a stranger
writes never becomes one.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest


class Metrics:
    """The metrics of one process, on a registry of their own."""

    def __init__(self) -> None:
        """All at zero; gauges are read when they are asked for, see `reads`."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._consumer_gauges()
        self._relay_gauges()
        self._hash_gauges()

    def _consumer_gauges(self) -> None:
        self.lag = self._gauge("lag_seconds", "Age of a topic's oldest unfinished command", "topic")
        self.lanes = self._gauge("lanes", "Keys whose commands are under way", "consumer")
        self.in_flight = self._gauge("in_flight", "Commands taken in, not finished", "consumer")
        self.assigned = self._gauge("assigned_partitions", "Partitions of ours", "consumer")
        self.silent = self._gauge(
            "last_poll_seconds", "Time since Kafka last answered a fetch", "consumer"
        )

        self.retries = self._counter("retries", "What failed and was tried again", "what")

    def _relay_gauges(self) -> None:
        self.relay_leads = self._gauge("relay_leads", "1 in the process whose relay leads")
        self.outbox_age = self._gauge(
            "outbox_oldest_seconds", "Age of the oldest unsaid record, where the relay leads"
        )

    def _hash_gauges(self) -> None:
        self.hash_threads = self._gauge("hash_threads", "Hashes that can run at a time")
        self.hash_running = self._gauge("hash_running", "Hashes that run")
        self.hash_queued = self._gauge("hash_queued", "Hashes that wait for a thread")

    def exposed(self) -> tuple[bytes, str]:
        """What Prometheus scrapes, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"authbus_{name}", what, labels, registry=self._registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"authbus_{name}", what, labels, registry=self._registry)


def reads(gauge: Gauge, read: Callable[[], float], *labels: str) -> None:
    """Let a gauge be read from where it is known, at each scrape."""
    (gauge.labels(*labels) if labels else gauge).set_function(read)
