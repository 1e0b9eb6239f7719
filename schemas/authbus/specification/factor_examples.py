"""Examples about the second factor. The secrets in them are made up."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus.message import Message
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    DisableTotp,
    FactorEndReason,
    RecoveryCodeUsed,
    ResetSecondFactor,
    SecondFactorIsReset,
    SecondFactorRequested,
    SecondFactorRequired,
    SessionElevated,
    StartTotp,
    SteppedUp,
    StepUp,
    TotpDisabled,
    TotpEnabled,
    TotpIsDisabled,
    TotpIsEnabled,
    TotpRequested,
    TotpStarted,
    TotpUsed,
)
from authbus.specification.schemas import Json

_BY_TOKEN: Json = {"access_token": "header.payload.signature"}
_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105 - nobody's
_URI = (
    f"otpauth://totp/Example:ana%40example.com?digits=6&secret={_SECRET}&issuer=Example&period=30"
)


def values(user_id: UUID, session_id: UUID, command_id: UUID, at: datetime) -> tuple[Message, ...]:
    """One of each message, about this user."""
    caused: Json = {"user_id": user_id, "actor": f"user:{user_id}", "causation_id": command_id}
    return (
        StartTotp.model_validate(
            {**_BY_TOKEN, "password": "correct horse battery", "label": "ana@example.com"}
        ),
        ConfirmTotp.model_validate({**_BY_TOKEN, "code": "492039"}),
        DisableTotp.model_validate({**_BY_TOKEN, "code": "751822"}),
        TotpStarted.model_validate({"secret": _SECRET, "otpauth_uri": _URI}),
        TotpIsEnabled.model_validate(
            {"recovery_codes": ["mzxw-6ytb-oi2d-k3tf", "nbsw-y3dp-eb3w-64tm"]}
        ),
        TotpIsDisabled(user_id=user_id),
        CompleteLogIn.model_validate(
            {"challenge": "an-opaque-challenge", "code": "492039", "device": "Firefox on Linux"}
        ),
        SecondFactorRequired.model_validate(
            {"challenge": "an-opaque-challenge", "expires_at": at + timedelta(minutes=5)}
        ),
        StepUp.model_validate({**_BY_TOKEN, "code": "130725"}),
        SteppedUp.model_validate(
            {**_BY_TOKEN, "access_token_expires_at": at + timedelta(minutes=10)}
        ),
        ResetSecondFactor.model_validate({**_BY_TOKEN, "user_id": user_id}),
        SecondFactorIsReset(user_id=user_id),
        SessionElevated(sequence=8, session_id=session_id, amr=("pwd", "otp", "mfa"), **caused),
        SecondFactorRequested(sequence=5, **caused),
        TotpUsed(sequence=6, **caused),
        RecoveryCodeUsed(sequence=6, left=9, **caused),
        TotpRequested(sequence=3, **caused),
        TotpEnabled(sequence=4, **caused),
        TotpDisabled(sequence=9, reason=FactorEndReason.REQUESTED, **caused),
    )
