"""`auth.factors`: what a user does about their second factor."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.client.lanes import Lanes
from authbus.client.results import Session
from authbus.replies import LoggedIn
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    StartTotp,
    SteppedUp,
    StepUp,
    TotpIsDisabled,
    TotpIsEnabled,
    TotpStarted,
)


@dataclass(frozen=True, slots=True)
class TotpSetUp:
    """What the user's app needs: the secret as text, or the URI as a QR code."""

    secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)


class FactorCalls:
    """Each takes the user's access token. Raises AuthRejected: `code_invalid` for a wrong code."""

    def __init__(self, call: Caller, lanes: Lanes) -> None:
        self._call = call
        self._lanes = lanes

    async def complete_log_in(
        self,
        challenge: str,
        code: str,
        *,
        device: str | None = None,
        ip_address: str | None = None,
        device_token: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> Session:
        """The session of a log-in that raised SecondFactorNeeded, by a code or a recovery code.

        Raises AuthRejected: `code_invalid`, and `challenge_invalid` when it must begin anew.
        """
        known = None if device_token is None else SecretStr(device_token)
        reply = await self._call(
            lambda: CompleteLogIn(
                challenge=SecretStr(challenge),
                code=SecretStr(code),
                device=device,
                ip_address=ip_address,
                device_token=known,
            ),
            LoggedIn,
            key=self._lanes.key(challenge),
            command_id=command_id,
            timeout=timeout,
        )
        return Session.of(reply)

    async def step_up(
        self,
        session: Session,
        code: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> Session:
        """The session with an access token that tells of a second factor shown now.

        Do this when a call is refused by `step_up_required`, then call again with that token.
        """
        found = await self._call(
            lambda: StepUp(access_token=SecretStr(session.access_token), code=SecretStr(code)),
            SteppedUp,
            key=str(session.user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return replace(
            session,
            access_token=found.access_token.get_secret_value(),
            access_token_expires_at=found.access_token_expires_at,
        )

    async def start_totp(
        self,
        access_token: str,
        password: str,
        *,
        label: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> TotpSetUp:
        """Begin to set it up; the user's app calls the account `label`.

        Raises AuthRejected: `invalid_credentials`, `factor_enabled`.
        """
        found = await self._call(
            lambda: StartTotp(
                access_token=SecretStr(access_token), password=SecretStr(password), label=label
            ),
            TotpStarted,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return TotpSetUp(found.secret.get_secret_value(), found.otpauth_uri.get_secret_value())

    async def confirm_totp(
        self,
        access_token: str,
        code: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Enable it by a first code; returns the recovery codes, which are never shown again."""
        found = await self._call(
            lambda: ConfirmTotp(access_token=SecretStr(access_token), code=SecretStr(code)),
            TotpIsEnabled,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return tuple(each.get_secret_value() for each in found.recovery_codes)

    async def disable_totp(
        self,
        access_token: str,
        code: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """Do without it, by a code of the app or a recovery code."""
        await self._call(
            lambda: DisableTotp(access_token=SecretStr(access_token), code=SecretStr(code)),
            TotpIsDisabled,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
