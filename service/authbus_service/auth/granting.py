"""After the commit: the secrets of an answer, made of what was stored and of the command."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from authbus import totp
from authbus.commands import RefreshSession
from authbus.message import Reply
from authbus.replies import LoggedIn, Refreshed
from authbus.second_factor import (
    SecondFactorRequired,
    StartTotp,
    SteppedUp,
    TotpIsEnabled,
    TotpStarted,
)
from authbus.service_accounts import ServiceLoggedIn, ServiceSecret
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import (
    Answer,
    Challenged,
    Draft,
    Elevated,
    Enrolled,
    Enrolling,
    Granted,
    SecretMade,
    ServiceGranted,
)
from authbus_service.auth.request import Request
from authbus_service.core.clients import Client


@dataclass(frozen=True, slots=True)
class Granting:
    """`sign` makes an access token of RFC 9068 claims; `issuer` is this environment's name.

    `shown_as` is what users' apps call it.
    """

    issuer: str
    sign: Callable[[dict[str, Any]], str]
    shown_as: str = "authbus"

    def __call__(self, answer: Answer, request: Request) -> Reply:
        """The reply to send. The same answer and command give the same secrets."""
        match answer:
            case Granted():
                return self._granted(answer, request)
            case SecretMade(user_id=user_id, expires_at=expires_at):
                secret = SecretStr(request.derived.code(Purpose.SERVICE_SECRET))
                return ServiceSecret(user_id=user_id, secret=secret, expires_at=expires_at)
            case Enrolling():
                return self._started(request)
            case Enrolled():
                return _enabled(request)
            case Challenged(expires_at=expires_at):
                challenge = SecretStr(request.derived.code(Purpose.LOG_IN))
                return SecondFactorRequired(challenge=challenge, expires_at=expires_at)
            case Draft():
                raise TypeError(type(answer).__name__)
            case _:
                return answer

    def token(self, granted: Granted, client: Client, token_id: UUID) -> str:
        """The access token that a client is given."""
        return self.sign(self._claims(granted, client, token_id))

    def _granted(self, answer: Granted, request: Request) -> Reply:
        token = SecretStr(self.token(answer, request.client, request.derived.token_id))
        until = answer.access_token_expires_at
        match answer:
            case Elevated():
                return SteppedUp(access_token=token, access_token_expires_at=until)
            case ServiceGranted(user_id=user_id, session_id=session_id):
                return ServiceLoggedIn(
                    user_id=user_id,
                    session_id=session_id,
                    access_token=token,
                    access_token_expires_at=until,
                )
            case _:
                return _logged_in(answer, request, token)

    def _started(self, request: Request) -> TotpStarted:
        secret, command = request.derived.totp_secret, request.command
        label = command.label if isinstance(command, StartTotp) else None
        uri = totp.uri(secret, label=label or self.shown_as, issuer=self.shown_as)
        return TotpStarted(secret=SecretStr(totp.as_text(secret)), otpauth_uri=SecretStr(uri))

    def _claims(self, granted: Granted, client: Client, token_id: UUID) -> dict[str, Any]:
        audiences = client.audiences
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": str(granted.user_id),
            "sid": str(granted.session_id),
            "aud": audiences[0] if len(audiences) == 1 else list(audiences),
            "client_id": client.id,
            "jti": str(token_id),
            "iat": int(granted.issued_at.timestamp()),
            "exp": int(granted.access_token_expires_at.timestamp()),
            "auth_time": int(granted.auth_time.timestamp()),
            "amr": list(granted.amr),
            "roles": list(granted.roles),
        }
        if granted.permissions:
            claims["scope"] = " ".join(granted.permissions)
        return claims


def _logged_in(answer: Granted, request: Request, token: SecretStr) -> Reply:
    tokens: dict[str, Any] = {
        "user_id": answer.user_id,
        "session_id": answer.session_id,
        "access_token": token,
        "access_token_expires_at": answer.access_token_expires_at,
        "session_expires_at": answer.session_expires_at,
    }
    derived = request.derived
    if isinstance(request.command, RefreshSession):
        held = request.command.refresh_token.get_secret_value()
        return Refreshed(**tokens, refresh_token=SecretStr(derived.next_refresh_token(held)))
    return LoggedIn(
        **tokens,
        refresh_token=SecretStr(derived.refresh_token),
        device_token=_device_token(answer, request),
    )


def _enabled(request: Request) -> TotpIsEnabled:
    return TotpIsEnabled(recovery_codes=tuple(map(SecretStr, request.derived.recovery_codes)))


def _device_token(granted: Granted, request: Request) -> SecretStr:
    """The token that the command showed, where it was known; else a new one."""
    shown = getattr(request.command, "device_token", None)
    if granted.is_known_device and isinstance(shown, SecretStr):
        return shown
    return SecretStr(request.derived.device_token)
