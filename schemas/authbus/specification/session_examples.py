"""Examples of what users do about their sessions."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus.commands import EndAllSessions, EndSession, ListSessions, RefreshSession
from authbus.events import SessionRefreshed
from authbus.message import Message
from authbus.replies import AllSessionsEnded, Refreshed, SessionEntry, SessionIsEnded, SessionList
from authbus.specification.schemas import Json


def values(session_id: UUID, tokens: Json, caused: Json, at: datetime) -> tuple[Message, ...]:
    """One of each message; `tokens` are the session's, `caused` is what its events tell."""
    token: Json = {"access_token": tokens["access_token"]}
    held: Json = {"session_id": session_id, "refresh_token": tokens["refresh_token"]}
    lapses_at = at + timedelta(days=7)
    entry = SessionEntry(
        session_id=session_id,
        client_id="web",
        amr=("pwd",),
        started_at=at,
        last_used_at=at,
        lapses_at=lapses_at,
        expires_at=at + timedelta(days=30),
        device="Firefox on Linux",
        ip_address="192.0.2.7",
        is_current=True,
    )
    return (
        RefreshSession.model_validate(held),
        EndSession.model_validate({**token, "session_id": session_id}),
        EndAllSessions.model_validate(token),
        ListSessions.model_validate(token),
        Refreshed.model_validate(tokens),
        SessionIsEnded(session_id=session_id),
        AllSessionsEnded(count=2),
        SessionList(sessions=(entry,)),
        SessionRefreshed(sequence=3, session_id=session_id, lapses_at=lapses_at, **caused),
    )
