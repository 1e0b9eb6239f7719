"""What a producer gets from its calls."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from authbus.replies import LoggedIn, Tokens


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in. The tokens are secrets of its user: they are in no repr."""

    user_id: UUID
    session_id: UUID
    access_token: str = field(repr=False)
    access_token_expires_at: datetime
    refresh_token: str = field(repr=False)
    session_expires_at: datetime
    device_token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, reply: Tokens, device_token: str | None = None) -> Self:
        """The reply with its tokens as text; without a device's token the one that is known."""
        if isinstance(reply, LoggedIn) and reply.device_token is not None:
            device_token = reply.device_token.get_secret_value()
        return cls(
            user_id=reply.user_id,
            session_id=reply.session_id,
            access_token=reply.access_token.get_secret_value(),
            access_token_expires_at=reply.access_token_expires_at,
            refresh_token=reply.refresh_token.get_secret_value(),
            session_expires_at=reply.session_expires_at,
            device_token=device_token,
        )
