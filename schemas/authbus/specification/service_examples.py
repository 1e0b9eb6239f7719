"""Examples about service accounts. The secret in them is made up."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus.message import Message
from authbus.service_accounts import (
    CreateServiceAccount,
    LogInService,
    RotateServiceSecret,
    ServiceLoggedIn,
    ServiceSecret,
    ServiceSecretRotated,
)
from authbus.specification.schemas import Json

_BY_TOKEN: Json = {"access_token": "header.payload.signature"}
_SECRET = "an-opaque-secret"  # noqa: S105 - nobody's


def values(user_id: UUID, session_id: UUID, command_id: UUID, at: datetime) -> tuple[Message, ...]:
    """One of each message, about this service account."""
    caused: Json = {"user_id": user_id, "actor": "operator", "causation_id": command_id}
    return (
        CreateServiceAccount.model_validate({**_BY_TOKEN, "name": "nightly billing"}),
        RotateServiceSecret.model_validate({**_BY_TOKEN, "user_id": user_id, "overlap_hours": 24}),
        LogInService.model_validate({"user_id": user_id, "secret": _SECRET}),
        ServiceSecret.model_validate(
            {"user_id": user_id, "secret": _SECRET, "expires_at": at + timedelta(days=365)}
        ),
        ServiceLoggedIn.model_validate(
            {
                **_BY_TOKEN,
                "user_id": user_id,
                "session_id": session_id,
                "access_token_expires_at": at + timedelta(minutes=10),
            }
        ),
        ServiceSecretRotated(sequence=2, former_until=at + timedelta(hours=24), **caused),
    )
