"""A log-in that was proven starts a session, and ends the oldest ones beyond the limit."""

from dataclasses import replace
from datetime import timedelta

from authbus.commands import LogIn
from authbus.events import AnyEvent, EndReason, SessionEnded, SessionStarted
from authbus.second_factor import CompleteLogIn
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.notices import new_device_notice
from authbus_service.auth.outcome import Granted, Outcome
from authbus_service.auth.sessions.tokens import terms
from authbus_service.auth.users import devices
from authbus_service.auth.users.user import User


def log_in(
    case: Case,
    command: LogIn | CompleteLogIn,
    user: User,
    amr: tuple[str, ...],
    before: tuple[AnyEvent, ...],
) -> Outcome:
    """A user's session, whose events come behind those `before`; a new device is told of by mail.

    `amr` is how the user authenticated. All live sessions must be loaded.
    """
    started = start_session(case, user, amr, index=len(before))
    known = devices.known(user.devices, command) is not None
    named = command.device is not None or command.device_token is not None
    return replace(
        started,
        answer=started.answer.model_copy(update={"is_known_device": known}),
        events=(*before, *started.events),
        mails=new_device_notice(user, named=named, known=known),
        settled=Settled.CLEARED,
    )


def start_session(
    case: Case,
    user: User,
    amr: tuple[str, ...],
    *,
    lifetime: timedelta | None = None,
    index: int = 0,
) -> Outcome:
    """The session and its tokens' answer. All live sessions must be loaded.

    `amr` is how the user authenticated. With a `lifetime` the session is over then, and counts
    for no limit. `index` is that of the first event.
    """
    ended = () if lifetime else _beyond_limit(case, user, index)
    expires_at = case.at + (lifetime or case.policy.session_lifetime)
    started = SessionStarted(
        **case.told(user, index + len(ended)),
        session_id=case.request.derived.session_id,
        client_id=case.request.client.id,
        amr=amr,
        expires_at=expires_at,
        lapses_at=min(case.at + case.policy.session_idle, expires_at),
    )
    granted = Granted(
        user_id=user.id,
        session_id=started.session_id,
        amr=amr,
        auth_time=case.at,
        **terms(case.policy, user.roles, case.at, expires_at),
    )
    return Outcome(granted, (*ended, started))


def _beyond_limit(case: Case, user: User, index: int) -> tuple[SessionEnded, ...]:
    live = case.rows.sessions_of(user.id, case.at)
    surplus = live[: max(0, len(live) + 1 - case.policy.sessions_per_user)]
    return tuple(
        SessionEnded(**case.told(user, number), session_id=each.id, reason=EndReason.LIMIT)
        for number, each in enumerate(surplus, index)
    )
