"""The handlers: `prepare` may wait and holds no transaction, `decide` is pure, `apply` writes rows.

A new command is a case in `prepare` and in `decide`, a new event one in `apply`; a forgotten case
fails the type check.
"""

from datetime import datetime
from typing import assert_never

from authbus.commands import LogIn, LogOut, RegisterUser
from authbus.events import AnyEvent, SessionEnded, SessionStarted, UserCreated
from authbus.state import SessionRevoked, UserState
from authbus_service.auth import log_in, log_out, register
from authbus_service.auth.outcome import Outcome, Private
from authbus_service.auth.proof import Policy, Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Readable, Rows
from authbus_service.auth.sessions import service as sessions
from authbus_service.auth.users import service as users


async def prepare(request: Request, tools: Tools) -> Proof:
    """Read and hash what the decision needs. May take long; changes nothing."""
    match request.command:
        case RegisterUser() as command:
            return await register.prepare(command, request, tools)
        case LogIn() as command:
            return await log_in.prepare(command, request, tools)
        case LogOut() as command:
            return await log_out.prepare(command, tools)
        case _:
            assert_never(request.command)


def decide(request: Request, proof: Proof, rows: Readable, at: datetime, policy: Policy) -> Outcome:
    """The one answer to a command. It refuses before it changes anything; it changes nothing."""
    if proof.refusal is not None:
        return Outcome(proof.refusal)
    match request.command:
        case RegisterUser():
            return register.decide(request, proof, rows)
        case LogIn():
            return log_in.decide(request, proof, rows, at, policy)
        case LogOut() as command:
            return log_out.decide(command, request, proof, rows)
        case _:
            assert_never(request.command)


def apply(
    event: AnyEvent, private: Private, rows: Rows, at: datetime
) -> UserState | SessionRevoked | None:
    """Change the rows as the event says; returns the state record that goes with it, if any."""
    match event:
        case UserCreated():
            return users.created(event, private, rows.users, at)
        case SessionStarted():
            users.follows(event, rows.users)
            if private.password_hash:
                users.rehashed(event.user_id, private.password_hash, rows.users)
            return sessions.started(event, private, rows.sessions, at)
        case SessionEnded():
            users.follows(event, rows.users)
            return sessions.ended(event, rows.sessions, at)
        case _:
            assert_never(event)
