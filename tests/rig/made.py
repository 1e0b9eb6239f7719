"""Arrivals, requests and jobs made by hand, for tests without servers."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from authbus import topics
from authbus.commands import AnyCommand
from authbus_service.auth.applying import Applied, apply
from authbus_service.auth.cause import Cause
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.private_parts import private_part
from authbus_service.auth.proof import Policy, Proof
from authbus_service.auth.request import Derived, Request
from authbus_service.auth.sessions.session import Session
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.job import Job
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters
from authbus_service.outbox.repository import Said, Waiting

MASTERS = Masters([bytes(range(32))])
POLICY = Policy(
    session_lifetime=timedelta(days=30),
    session_idle=timedelta(days=7),
    sessions_per_user=5,
    refresh_grace=timedelta(seconds=10),
    access_token_lifetime=timedelta(minutes=10),
    password_min_length=12,
)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def an_arrival(
    offset: int, key: bytes | None = None, *, partition: int = 0, topic: topics.Topic | None = None
) -> Arrival:
    return Arrival(
        topic=topic or topics.CREDENTIALS,
        partition=partition,
        offset=offset,
        key=key,
        value=b"value",
        headers=[],
        appended_at=NOW,
    )


def a_row(position: int, topic: topics.Topic, cause: bytes | None) -> Waiting:
    """A row of the outbox that a command caused, or nothing."""
    headers = [] if cause is None else [("ce_causationid", cause)]
    return Waiting(Said(position, new_id()), topic.suffix, "k", "t", b"{}", headers, NOW)


def a_request(command: AnyCommand, *, id_: UUID | None = None) -> Request:
    command_id = id_ or new_id()
    content = MASTERS.content_digest(command.model_dump_json().encode())
    return Request(
        command=command,
        id=command_id,
        client=EMBEDDED_CLIENTS["web"],
        expires_at=datetime.now(UTC) + timedelta(minutes=5),
        derived=Derived(MASTERS, MASTERS.current, command_id, content),
        content=content,
    )


def a_job(request: Request, proof: Proof | None = None, *, offset: int = 0) -> Job:
    """A job on the running loop."""
    return Job(
        arrival=an_arrival(offset),
        request=request,
        proof=proof or Proof(),
        traceparent=None,
        digest=b"digest",
        result=asyncio.get_running_loop().create_future(),
    )


def applied(outcome: Outcome, cause: Cause) -> list[Applied]:
    """The rows are changed by every event; returns the state records that go with them."""
    events = outcome.events
    return [apply(each, private_part(each, cause), cause.rows, cause.at) for each in events]


def a_session(user_id: UUID, *, started_at: datetime = NOW, **changes: Any) -> Session:
    """A live session of this user."""
    made = Session(
        id=new_id(),
        user_id=user_id,
        client_id="web",
        amr=("pwd",),
        family_hash=b"",
        refresh_hash=b"",
        started_at=started_at,
        last_used_at=started_at,
        authenticated_at=started_at,
        lapses_at=NOW + timedelta(days=1),
        expires_at=NOW + timedelta(days=1),
    )
    return replace(made, **changes)
