"""A user's second factor in memory, as the rules see it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

BEGUN = timedelta(hours=1)


@dataclass(slots=True)
class Factor:
    """`secret` is wrapped, `recovery_codes` are SHA-256 of those that were not used, in one text.

    It counts once `enabled_at` is set, by a code within BEGUN. No code of `last_step` or before
    is taken any more.
    """

    user_id: UUID
    secret: bytes = field(repr=False)
    made_at: datetime
    enabled_at: datetime | None = None
    last_step: int = 0
    recovery_codes: bytes = field(default=b"", repr=False)

    def can_be_confirmed(self, at: datetime) -> bool:
        """Whether it was begun so lately that its first code may enable it."""
        return at < self.made_at + BEGUN


@dataclass(frozen=True, slots=True)
class Passed:
    """A code that is right: the step of an app's code, or the hash of a recovery code."""

    step: int = 0
    recovery_hash: bytes = field(default=b"", repr=False)
