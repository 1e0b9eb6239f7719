"""A session starts, for whoever has proved to be its user."""

from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import SecretStr

from authbus.commands import CompleteLogIn, LogIn
from authbus.events import EndReason, SessionStarted
from authbus.replies import LoggedIn
from authbus.testing import mailing
from authbus.testing.acting import granted
from authbus.testing.memory import Ask, Memory
from authbus.testing.rows import FIRST_VERSION, Account, Held, derived_id, derived_secret

_MOST_DEVICES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """How it was proven. With a `lifetime` the session is over then, and counts for no limit."""

    amr: tuple[str, ...] = ()
    device: str | None = field(default=None, repr=False)
    ip_address: str | None = field(default=None, repr=False)
    lifetime: timedelta | None = None


def start_session(memory: Memory, user: Account, by: By, ask: Ask) -> Held:
    """The session; the oldest ones beyond the limit end."""
    if by.lifetime is None:
        _end_beyond_limit(memory, user, ask)
    expires_at = memory.now + (by.lifetime or memory.settings.session)
    session = Held(
        id=derived_id("session", ask.id),
        user_id=user.id,
        client_id=ask.client_id,
        tokens=[derived_secret("refresh", ask.id)],
        amr=by.amr,
        started_at=memory.now,
        last_used_at=memory.now,
        authenticated_at=memory.now,
        lapses_at=min(memory.now + memory.settings.idle, expires_at),
        expires_at=expires_at,
        device=by.device,
        ip_address=by.ip_address,
    )
    memory.sessions[session.id] = session
    memory.tell(
        user,
        SessionStarted,
        ask.id,
        session_id=session.id,
        client_id=session.client_id,
        amr=session.amr,
        expires_at=expires_at,
        lapses_at=session.lapses_at,
    )
    return session


def _end_beyond_limit(memory: Memory, user: Account, ask: Ask) -> None:
    live = memory.live(user)
    for each in live[: max(0, len(live) + 1 - memory.settings.sessions_per_user)]:
        memory.end(each, ask.id, EndReason.LIMIT)


def log_in_by(
    memory: Memory, user: Account, command: LogIn | CompleteLogIn, amr: tuple[str, ...], ask: Ask
) -> LoggedIn:
    """A person's session: their device is known from now on, a new one is told by mail."""
    by = By(amr=amr, device=command.device, ip_address=command.ip_address)
    session, shown = start_session(memory, user, by, ask), text(command.device_token)
    known = shown in user.devices
    is_first = not user.devices and user.password_version == FIRST_VERSION
    if not (known or is_first) and (command.device is not None or shown is not None):
        mailing.notice(memory, user, "new_device", ask.id)
    device = shown if known and shown else derived_secret("device", ask.id)
    user.devices = [*(each for each in user.devices if each != device), device][-_MOST_DEVICES:]
    return LoggedIn.model_validate({**granted(memory, user, session, ask), "device_token": device})


def text(secret: SecretStr | None) -> str | None:
    """A secret as text, where there is one."""
    return None if secret is None else secret.get_secret_value()
