"""Whether Kafka still answers: what watches has nothing to show then, as when nothing comes."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

# Longer than another broker takes to lead: Kafka answers what asks for records at once.
SECONDS = 10.0


@dataclass(slots=True)
class Silence:
    """Tells once that Kafka has been silent (True), and once that it answers again (False)."""

    tell: Callable[[bool], None]
    now: Callable[[], float] = time.monotonic
    _answered: int | None = None
    _since: float | None = None
    _is_told: bool = False

    def look(self, consumer: AIOKafkaConsumer) -> None:
        """Look when any partition was answered last; of a lost broker's another one leads."""
        polls = map(consumer.last_poll_timestamp, consumer.assignment())
        self.note(max(filter(None, polls), default=None))

    def note(self, answered: int | None) -> None:
        """This is the time of the newest answer now."""
        if self._since is None or answered != self._answered:
            self._answered, self._since = answered, self.now()
        is_silent = self.now() - self._since >= SECONDS
        if is_silent != self._is_told:
            self._is_told = is_silent
            self.tell(is_silent)

    def away(self) -> None:
        """Time has passed in which nobody looked: a terminal that stands still is no silence."""
        if not self._is_told:
            self._since = None
