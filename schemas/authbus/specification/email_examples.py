"""Examples of what users do about their addresses."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus.commands import ChangeEmail, ConfirmEmailChange, ResendVerification, VerifyEmail
from authbus.events import (
    EmailChanged,
    EmailChangeRequested,
    EmailVerificationRequested,
    EmailVerified,
)
from authbus.message import Message
from authbus.replies import EmailIsChanged, EmailIsVerified, MailQueued
from authbus.specification.schemas import Json


def values(user_id: UUID, command_id: UUID, at: datetime) -> tuple[Message, ...]:
    """One of each message, about this user."""
    token: Json = {"access_token": "header.payload.signature"}
    code: Json = {"code": "the-code-of-a-mail"}
    caused: Json = {"user_id": user_id, "actor": f"user:{user_id}", "causation_id": command_id}
    changed: Json = {"password": "correct horse battery", "new_email": "ana@example.org"}
    return (
        VerifyEmail.model_validate(code),
        ResendVerification.model_validate(token),
        ChangeEmail.model_validate({**token, **changed}),
        ConfirmEmailChange.model_validate(code),
        MailQueued(expires_at=at + timedelta(hours=24)),
        EmailIsVerified(user_id=user_id),
        EmailIsChanged(user_id=user_id),
        EmailVerificationRequested(sequence=2, **caused),
        EmailVerified(sequence=3, **caused),
        EmailChangeRequested(sequence=4, **caused),
        EmailChanged(sequence=5, **caused),
    )
