"""A command on its way: what was asked, by which client, and what follows from the record alone."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authbus import totp
from authbus.commands import AnyCommand
from authbus.factor_codes import RECOVERY_CODES, recovery_code
from authbus_service.auth.codes.code import Purpose
from authbus_service.core.clients import Client
from authbus_service.core.security.masters import Masters


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
        return self.masters.user_id(self.command_id, self.content, self.master)

    @property
    def session_id(self) -> UUID:
        """The session this command starts."""
        return self.masters.session_id(self.command_id, self.content, self.master)

    @property
    def token_id(self) -> UUID:
        """The `jti` of the access token in this command's answer."""
        return self.masters.token_id(self.command_id, self.content, self.master)

    @property
    def refresh_token(self) -> str:
        """The first refresh token of the session that this command starts."""
        family = self.masters.refresh_family(self.command_id, self.content, self.master)
        return self.next_refresh_token(family)

    @property
    def device_token(self) -> str:
        """What makes the device known from which this command logs in."""
        return self.masters.device_token(self.command_id, self.content, self.master)

    def next_refresh_token(self, held: str) -> str:
        """The refresh token that this command gives for the one that is held, or its family."""
        secret = self.masters.refresh_token(self.command_id, self.content, self.master)
        return f"{refresh_family(held)}.{secret}"

    @property
    def salt(self) -> bytes:
        """The salt of a password that this command sets."""
        return self.masters.salt(self.command_id, self.content, self.master)

    @property
    def totp_secret(self) -> bytes:
        """The secret of the second factor that this command starts."""
        made = self.masters.derive("totp", self.command_id.bytes, self.content, master=self.master)
        return made[: totp.SECRET_BYTES]

    @property
    def recovery_codes(self) -> tuple[str, ...]:
        """The recovery codes that this command shows, 80 bits each."""
        return tuple(self._recovery_code(index) for index in range(RECOVERY_CODES))

    def code(self, purpose: Purpose) -> str:
        """The one-time code that this command's mail carries."""
        return self.masters.code(purpose, self.command_id, self.content, self.master)

    def _recovery_code(self, index: int) -> str:
        parts = (self.command_id.bytes, self.content, index.to_bytes(4, "big"))
        return recovery_code(self.masters.derive("recovery", *parts, master=self.master))

    @property
    def audit_id(self) -> UUID:
        """The id of this command's record for auditors."""
        return self.masters.audit_id(self.command_id, self.content, self.master)

    def mail_id(self, index: int) -> UUID:
        """The id of this command's mail number `index`, from 0."""
        return self.masters.mail_id(self.command_id, self.content, index, self.master)

    def event_id(self, index: int) -> UUID:
        """The id of this command's event number `index`, from 0."""
        return self.masters.event_id(self.command_id, self.content, index, self.master)


@dataclass(frozen=True, slots=True)
class Request:
    """An opened command. `expires_at` is when nobody waits for it any more."""

    command: AnyCommand
    id: UUID
    client: Client
    expires_at: datetime
    derived: Derived
