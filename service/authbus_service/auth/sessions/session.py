"""A session in memory, as the rules see it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class Session:
    """A log-in. Once `ended_at` is set it stays set."""

    id: UUID
    user_id: UUID
    client_id: str
    amr: tuple[str, ...]
    refresh_hash: bytes = field(repr=False)
    refresh_generation: int
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    end_reason: str | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it goes on at this time."""
        return self.ended_at is None and at < self.expires_at
