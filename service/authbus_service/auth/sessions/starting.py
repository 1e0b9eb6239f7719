"""A log-in that was proven starts a session, and ends the oldest ones beyond the limit."""

from dataclasses import dataclass, field
from datetime import timedelta

from authbus.events import EndReason, SessionEnded, SessionStarted
from authbus_service.auth.case import Case
from authbus_service.auth.outcome import Granted, Outcome, Private
from authbus_service.auth.request import refresh_family
from authbus_service.auth.users.user import User
from authbus_service.core.security.masters import token_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class LogInBy:
    """How the user proved to be it, and what the producer knows of their side.

    With a `lifetime` the session is over then, and counts for no limit.
    """

    amr: tuple[str, ...]
    device: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    lifetime: timedelta | None = None


def start_session(case: Case, user: User, by: LogInBy, *, index: int = 0) -> Outcome:
    """The session, its tokens' answer, and what `apply` needs. All live sessions must be loaded.

    `index` is that of the first event: how many of the command's come before these.
    """
    ended = () if by.lifetime else _beyond_limit(case, user, index)
    derived = case.request.derived
    expires_at = case.at + (by.lifetime or case.policy.session_lifetime)
    started = SessionStarted(
        **case.told(user, index + len(ended)),
        session_id=derived.session_id,
        client_id=case.request.client.id,
        amr=by.amr,
        expires_at=expires_at,
        lapses_at=min(case.at + case.policy.session_idle, expires_at),
    )
    granted = Granted(
        user_id=user.id,
        session_id=started.session_id,
        amr=by.amr,
        roles=user.roles,
        permissions=case.policy.roles.in_tokens(user.roles),
        auth_time=case.at,
        issued_at=case.at,
        access_token_expires_at=min(case.at + case.policy.access_token_lifetime, expires_at),
        session_expires_at=expires_at,
    )
    private = Private(
        family_hash=token_hash(refresh_family(derived.refresh_token)),
        refresh_hash=token_hash(derived.refresh_token),
        device=by.device,
        ip_address=by.ip_address,
    )
    return Outcome(granted, (*ended, started), private)


def _beyond_limit(case: Case, user: User, index: int) -> tuple[SessionEnded, ...]:
    live = case.rows.sessions_of(user.id, case.at)
    surplus = live[: max(0, len(live) + 1 - case.policy.sessions_per_user)]
    return tuple(
        SessionEnded(**case.told(user, number), session_id=each.id, reason=EndReason.LIMIT)
        for number, each in enumerate(surplus, index)
    )
