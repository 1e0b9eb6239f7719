"""Examples of what is done about passwords."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus.commands import (
    ChangePassword,
    CompletePasswordReset,
    ForcePasswordReset,
    RequestPasswordReset,
)
from authbus.events import (
    PasswordChanged,
    PasswordReason,
    PasswordResetForced,
    PasswordResetRequested,
)
from authbus.message import Message
from authbus.password_replies import (
    PasswordIsChanged,
    PasswordIsVoid,
    ResetIsRequested,
)
from authbus.specification.schemas import Json

_NEW = "staple them together"


def values(user_id: UUID, command_id: UUID, at: datetime) -> tuple[Message, ...]:
    """One of each message, about this user."""
    caused: Json = {"user_id": user_id, "actor": f"user:{user_id}", "causation_id": command_id}
    by_operator: Json = {**caused, "actor": "operator"}
    return (
        ChangePassword.model_validate(
            {
                "access_token": "header.payload.signature",
                "current_password": "correct horse battery",
                "new_password": _NEW,
            }
        ),
        RequestPasswordReset(email="ana@example.com", ip_address="192.0.2.7"),
        CompletePasswordReset.model_validate({"code": "the-code-of-a-mail", "new_password": _NEW}),
        ForcePasswordReset.model_validate(
            {"access_token": "header.payload.signature", "user_id": user_id}
        ),
        PasswordIsVoid(user_id=user_id, sessions_ended=2),
        PasswordResetForced(sequence=7, **by_operator),
        PasswordIsChanged(sessions_ended=2),
        ResetIsRequested(expires_at=at + timedelta(hours=1)),
        PasswordChanged(sequence=3, reason=PasswordReason.CHANGED, **caused),
        PasswordResetRequested(sequence=6, **caused),
    )
