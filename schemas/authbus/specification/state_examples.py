"""Examples of what stands on the topics beside commands, replies and events."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from authbus import topics
from authbus.commands import LogIn
from authbus.message import Message
from authbus.state import (
    AuditRecord,
    Closing,
    DeadLetter,
    DeadLetterClosed,
    DeadLetterReason,
    FeedAlive,
    PublicKey,
    SessionRevoked,
    UserState,
    UserStatus,
)

KID = "k7Qm2vXw"

# A public half; nobody has the private one.
_SEALING_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "fJ9wzGyW3698nWR2SRapsYxXxGfTdXgoYTF7QinAvAQ",
    "y": "d36ZJpqWlTFGyeKZSrpWgt_A7lwt0FWqERvBHES57WQ",
}


def values(user_id: UUID, session_id: UUID, command_id: UUID, at: datetime) -> tuple[Message, ...]:
    """One of each message, about this user and session."""
    return (
        UserState(user_id=user_id, sequence=1, email="ana@example.com", status=UserStatus.ACTIVE),
        PublicKey(
            kid=KID,
            use="enc",
            jwk=_SEALING_KEY,
            not_before=at,
            signature="header.payload.signature",
        ),
        SessionRevoked(session_id=session_id, user_id=user_id, ended_at=at),
        FeedAlive(published_through=at),
        AuditRecord(
            command=LogIn.wire_type(),
            command_id=command_id,
            outcome="done",
            actor=f"user:{user_id}",
            subject=user_id,
            client_id="web",
            source="0tJv9yIYqGVGvK5cQmXq4w",
        ),
        DeadLetter(
            topic=topics.CREDENTIALS.suffix,
            partition=3,
            offset=41,
            appended_at=at,
            size=512,
            digest=sha256(b"").hexdigest(),
            reason=DeadLetterReason.BAD_SEAL,
        ),
        DeadLetterClosed(letter_id=command_id, how=Closing.HANDLED_ANEW, outcome="done"),
    )
