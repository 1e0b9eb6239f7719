"""A code in memory, as the rules see it: good once, but for the secret of a service account."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class Purpose(StrEnum):
    """What the holder of a code may do."""

    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose
    LOG_IN = "log_in"
    SERVICE_SECRET = "service_secret"  # noqa: S105 - a purpose

    @property
    def lifetime(self) -> timedelta:
        """How long a code of this purpose is good. Fixed, so that a replay gives the same row."""
        return _LIFETIMES[self]


_LIFETIMES = {
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CHANGE_EMAIL: timedelta(hours=24),
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.LOG_IN: timedelta(minutes=5),
    Purpose.SERVICE_SECRET: timedelta(days=365),
}


@dataclass(slots=True)
class OneTimeCode:
    """`hash` is SHA-256 of the secret, `address` is where the code was sent.

    Once `used_at` is set it stays set. `credential_version` is that of the password which a log-in
    began with.
    """

    hash: bytes = field(repr=False)
    user_id: UUID
    purpose: str
    address: str = field(repr=False)
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    credential_version: int = 0

    def is_open(self, purpose: Purpose, at: datetime) -> bool:
        """Whether it may still be used for this."""
        return self.purpose == purpose and self.used_at is None and at < self.expires_at
