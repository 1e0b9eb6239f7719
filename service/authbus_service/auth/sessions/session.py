"""A session in memory, as the rules see it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class Session:
    """A log-in. Once `ended_at` is set it stays set.

    `authenticated_at` is when its user last authenticated, by all of `amr`.
    Without a refresh before `lapses_at` it is over, which is never after `expires_at`.
    """

    id: UUID
    user_id: UUID
    client_id: str
    amr: tuple[str, ...]
    family_hash: bytes = field(repr=False)
    refresh_hash: bytes = field(repr=False)
    started_at: datetime
    last_used_at: datetime
    authenticated_at: datetime
    lapses_at: datetime
    expires_at: datetime
    previous_hash: bytes | None = field(default=None, repr=False)
    device: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    ended_at: datetime | None = None
    end_reason: str | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it goes on at this time."""
        return self.ended_at is None and at < self.lapses_at
