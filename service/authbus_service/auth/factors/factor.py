"""A user's second factor in memory, as the rules see it."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(slots=True)
class Factor:
    """`secret` is wrapped, `recovery_codes` are SHA-256 of those that were not used, in one text.

    It counts once `enabled_at` is set. No code of `last_step` or before is taken any more.
    """

    user_id: UUID
    secret: bytes = field(repr=False)
    made_at: datetime
    enabled_at: datetime | None = None
    last_step: int = 0
    recovery_codes: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Passed:
    """A code that is right: the step of an app's code, or the hash of a recovery code."""

    step: int = 0
    recovery_hash: bytes = field(default=b"", repr=False)
