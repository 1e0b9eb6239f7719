"""Machines: made by administrators, they log in by a secret of their own."""

from datetime import timedelta

from authbus.events import EndReason, UserCreated
from authbus.profile import Profile
from authbus.replies import Code
from authbus.service_accounts import (
    CreateServiceAccount,
    LogInService,
    RotateServiceSecret,
    ServiceLoggedIn,
    ServiceSecret,
    ServiceSecretRotated,
)
from authbus.state import UserKind
from authbus.testing import codes
from authbus.testing.acting import granted
from authbus.testing.memory import Ask, Memory, Refusal
from authbus.testing.permitting import administrator, named, refuse_more
from authbus.testing.rows import Account, derived_id
from authbus.testing.starting import By, start_session

_PURPOSE = "service_secret"
_MOST = 1000


def create(memory: Memory, command: CreateServiceAccount, ask: Ask) -> ServiceSecret:
    """An account without address, password and roles, and its secret."""
    admin = administrator(memory, command.access_token, ask, "services:write", sensitive=True)
    user = Account(derived_id("user", ask.id), "", memory.now)
    user.profile = Profile(display_name=command.name)
    memory.users[user.id] = user
    memory.tell(user, UserCreated, ask.id, actor=f"admin:{admin.id}", kind=user.kind)
    return _secret(memory, user, ask)


def rotate(memory: Memory, command: RotateServiceSecret, ask: Ask) -> ServiceSecret:
    """A new secret, of an account that may do no more than the administrator."""
    admin = administrator(memory, command.access_token, ask, "services:write", sensitive=True)
    user = named(memory, command.user_id)
    if user.kind != UserKind.SERVICE:
        raise Refusal(Code.USER_UNKNOWN)
    refuse_more(memory, admin, memory.permissions(user))
    until = memory.now + timedelta(hours=command.overlap_hours)
    for each in codes.of(memory, user):
        if each.is_open(_PURPOSE, memory.now):
            each.expires_at = min(each.expires_at, until)
    actor = f"admin:{admin.id}"
    memory.tell(user, ServiceSecretRotated, ask.id, actor=actor, former_until=until)
    if not command.overlap_hours:
        memory.end_all(user, ask.id, EndReason.SECRET_ROTATED, actor=actor)
    return _secret(memory, user, ask)


def _secret(memory: Memory, user: Account, ask: Ask) -> ServiceSecret:
    made = codes.make(memory, user, _PURPOSE, ask.id)
    return ServiceSecret.model_validate(
        {"user_id": user.id, "secret": made.text, "expires_at": made.expires_at}
    )


def log_in(memory: Memory, command: LogInService, ask: Ask) -> ServiceLoggedIn:
    """A session that lasts as long as its token."""
    code, user = codes.found(memory, command.secret, Code.INVALID_CREDENTIALS)
    if user.id != command.user_id or not code.is_open(_PURPOSE, memory.now):
        raise Refusal(Code.INVALID_CREDENTIALS)
    if len(memory.live(user)) >= _MOST:
        raise Refusal(Code.TOO_SOON)
    session = start_session(memory, user, By(lifetime=memory.settings.access_token), ask)
    return ServiceLoggedIn.model_validate(granted(memory, user, session, ask))
