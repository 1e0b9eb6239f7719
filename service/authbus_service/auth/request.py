"""A command on its way: what was asked, by which client, and what follows from the record alone."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from authbus import base64url, totp
from authbus.commands import AnyCommand
from authbus.factor_codes import RECOVERY_CODES, recovery_code
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.guessing.attempt import Attempt
from authbus_service.core.clients import Client
from authbus_service.core.security.masters import Masters

_SALT_BYTES = 16


def refresh_family(token: str) -> str:
    """The secret that a refresh token shares with all others of its session."""
    return token.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Derived:
    """Ids and secrets that follow from a command: the same record always yields the same ones."""

    masters: Masters
    master: str
    command_id: UUID
    content: bytes

    @property
    def user_id(self) -> UUID:
        """The user this command makes."""
        return self._id("user")

    @property
    def session_id(self) -> UUID:
        """The session this command starts."""
        return self._id("session")

    @property
    def token_id(self) -> UUID:
        """The `jti` of the access token in this command's answer."""
        return self._id("token")

    @property
    def refresh_token(self) -> str:
        """The first refresh token of the session that this command starts."""
        return self.next_refresh_token(self._token("refresh/family"))

    @property
    def device_token(self) -> str:
        """What makes the device known from which this command logs in."""
        return self._token("device")

    def next_refresh_token(self, held: str) -> str:
        """The refresh token that this command gives for the one that is held, or its family."""
        return f"{refresh_family(held)}.{self._token('refresh')}"

    @property
    def salt(self) -> bytes:
        """The salt of a password that this command sets."""
        return self._derive("salt")[:_SALT_BYTES]

    @property
    def totp_secret(self) -> bytes:
        """The secret of the second factor that this command starts."""
        return self._derive("totp")[: totp.SECRET_BYTES]

    @property
    def recovery_codes(self) -> tuple[str, ...]:
        """The recovery codes that this command shows, 80 bits each."""
        places = (index.to_bytes(4, "big") for index in range(RECOVERY_CODES))
        return tuple(recovery_code(self._derive("recovery", each)) for each in places)

    def code(self, purpose: Purpose) -> str:
        """The one-time code that this command's mail carries."""
        return self.masters.code(purpose, self.command_id, self.content, self.master)

    @property
    def audit_id(self) -> UUID:
        """The id of this command's record for auditors."""
        return self._id("audit")

    def mail_id(self, index: int) -> UUID:
        """The id of this command's mail number `index`, from 0."""
        return self._id("mail", index.to_bytes(4, "big"))

    def event_id(self, index: int) -> UUID:
        """The id of this command's event number `index`, from 0."""
        return self._id("event", index.to_bytes(4, "big"))

    def _derive(self, purpose: str, *more: bytes) -> bytes:
        parts = (self.command_id.bytes, self.content, *more)
        return self.masters.derive(purpose, *parts, master=self.master)

    def _token(self, purpose: str) -> str:
        """256 bits."""
        return base64url.encode(self._derive(purpose))

    def _id(self, kind: str, *more: bytes) -> UUID:
        return self.masters.id(kind, self.command_id, self.content, *more, master=self.master)


@dataclass(frozen=True, slots=True)
class Request:
    """An opened command. `expires_at` is when nobody waits for it any more.

    `content` is its digest under the current master, to whichever master's key it was sealed.
    """

    command: AnyCommand
    id: UUID
    client: Client
    expires_at: datetime
    derived: Derived
    content: bytes = field(repr=False)

    def attempt(
        self,
        key: bytes,
        *,
        source: bytes | None = None,
        user_id: UUID | None = None,
        lasts: bool = False,
    ) -> Attempt:
        """The guess that this command makes at what `key` stands for."""
        return Attempt(key, self.id, self.expires_at, source, user_id, self.content, lasts)
