"""How a relay goes, for health, metrics and the watchdog."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from authbus_service.core.clock import now


@dataclass(slots=True)
class RelayState:
    """`oldest_at` is when the oldest row was written, as far as one that leads has looked.

    For `held_back` seconds somebody's transaction has kept signs of life from going on.
    `said` counts rows since the process began, `batches` transactions, `restarts` by their reason.
    """

    leading: bool = False
    said: int = 0
    batches: int = 0
    restarts: Counter[str] = field(default_factory=Counter[str])
    last_batch_at: datetime | None = None
    last_look_at: datetime | None = None
    oldest_at: datetime | None = None
    held_back: float = 0.0

    def rests(self) -> None:
        """It leads no more: what it saw is another's to say."""
        self.leading, self.oldest_at, self.held_back = False, None, 0.0

    @property
    def oldest_age(self) -> float:
        """Of that row, in seconds, at this moment: it grows while nobody can look again."""
        at = self.oldest_at
        return 0.0 if at is None else max(0.0, (now() - at).total_seconds())
