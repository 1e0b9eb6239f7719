"""Events whose commands are gone: what becomes of each, and what does not come back.

A user is there again, with what `auth.state.users.v1` says of them and a void password. So is a
session, with void tokens, to be ended by an event once all others are applied.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from authbus.events import (
    AnyEvent,
    EmailChanged,
    EmailChangeRequested,
    EmailVerified,
    PasswordChanged,
    ProfileUpdated,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    UserCreated,
)
from authbus.second_factor import RecoveryCodeUsed, TotpEnabled, TotpUsed
from authbus.service_accounts import ServiceSecretRotated
from authbus.state import UserKind
from authbus_service.auth import handlers
from authbus_service.auth.private import NOTHING, Private
from authbus_service.auth.rows import Rows
from authbus_service.auth.users import service as users
from authbus_service.core import clock
from authbus_service.recovery.report import Report

_GONE = "its command is not on the topics any more"
_ENDED = f"{_GONE}: it is ended"
_VOID = (
    UserCreated,
    PasswordChanged,
    SessionStarted,
    SessionRefreshed,
    EmailVerified,
    EmailChangeRequested,
    ServiceSecretRotated,
)
_OF_FACTOR = (TotpEnabled, TotpUsed, RecoveryCodeUsed)
_IN_STATE = (EmailVerified, EmailChanged, ProfileUpdated)
_PASSWORD, _SECRET, _FACTOR = "password", "secret", "second factor"


@dataclass(slots=True)
class Losses:
    """What is lost so far. `users` are those whose public state is to be taken from its topic.

    `open` are sessions without tokens that go on, each with its user and the end of its time.
    """

    report: Report
    users: set[UUID] = field(default_factory=set[UUID])
    open: dict[UUID, tuple[UUID, datetime]] = field(
        default_factory=dict[UUID, tuple[UUID, datetime]]
    )

    def note(self, event: AnyEvent) -> None:
        """This event's command is gone."""
        self.users.add(event.user_id)
        if isinstance(event, SessionStarted | SessionRefreshed):
            self.open[event.session_id] = event.user_id, event.lapses_at
        elif not isinstance(event, _IN_STATE):
            self.report.miss(event.user_id, _what(event), _GONE)

    def applied(self, event: AnyEvent) -> None:
        """This event is applied, and counted."""
        self.settle(event)
        self.report.events_applied[type(event).__name__] += 1

    def settle(self, event: AnyEvent) -> None:
        """This event is applied as it was: what was lost before may not matter any more."""
        if isinstance(event, SessionEnded | SessionRefreshed):
            self.open.pop(event.session_id, None)
        elif isinstance(event, PasswordChanged | ServiceSecretRotated | TotpEnabled):
            self.report.back(event.user_id, _what(event))

    def tell_ends(self) -> int:
        """Report the sessions that are ended for this; returns how many. Others are over anyway."""
        now, count = clock.now(), 0
        for session_id, (user_id, end) in self.open.items():
            if end > now:
                self.report.miss(user_id, f"session {session_id}", _ENDED)
                count += 1
        return count


def apply_void(event: AnyEvent, rows: Rows, at: datetime) -> None:
    """Apply what can be applied without the command; the user's events count on in any case."""
    if isinstance(event, SessionRefreshed):
        session = rows.session(event.session_id)
        if session is None:
            users.follows(event, rows.users)
            return
        session.family_hash = b""
    if isinstance(event, _VOID):
        handlers.apply(event, NOTHING, rows, at)
    else:
        users.follows(event, rows.users)


def has_factor(event: AnyEvent, rows: Rows) -> bool:
    """Whether the second factor is there that the event is about."""
    return not isinstance(event, _OF_FACTOR) or rows.factor(event.user_id) is not None


def on_known_codes(event: AnyEvent, private: Private, rows: Rows) -> Private | None:
    """The private part, where the code is there that the event uses; None: it is lost with it.

    A session starts without its challenge too.
    """
    if not isinstance(event, EmailChanged | SessionStarted) or not private.code_hash:
        return private
    if private.code_hash in rows.codes.known:
        return private
    return replace(private, code_hash=b"") if isinstance(event, SessionStarted) else None


def _what(event: AnyEvent) -> str:
    match event:
        case UserCreated(kind=UserKind.SERVICE) | ServiceSecretRotated():
            return _SECRET
        case UserCreated() | PasswordChanged():
            return _PASSWORD
        case TotpEnabled():
            return _FACTOR
        case _:
            return type(event).__name__
