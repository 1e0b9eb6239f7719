"""Counts what happens to commands, at the few places where it happens."""

from typing import Literal

from authbus_service.core.metrics import Metrics


class Watch:
    """What one process's handling of commands tells of itself."""

    def __init__(self, metrics: Metrics) -> None:
        """Nothing has happened yet."""
        self.metrics = metrics
        # How often something has failed and is tried again: a sign of life for the watchdog.
        self.tries = 0

    def again(self, what: Literal["command", "group"]) -> None:
        """Something failed that passes by itself, and will be tried again."""
        self.tries += 1
        self.metrics.retries.labels(what).inc()
