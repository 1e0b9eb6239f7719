"""CompletePasswordReset: whoever has the code of a mail sets a new password. All sessions end."""

from dataclasses import replace

from authbus.addresses import canonical
from authbus.commands import CompletePasswordReset
from authbus.events import (
    AnyEvent,
    EmailVerified,
    EndReason,
    PasswordChanged,
    PasswordReason,
    UnlockReason,
    UserUnlocked,
)
from authbus.password_replies import PasswordIsChanged
from authbus.replies import Code, Rejected
from authbus.second_factor import FactorEndReason, TotpDisabled
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.passwords.rules import judge
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.users.user import User
from authbus_service.core import clock

_PURPOSE = Purpose.RESET_PASSWORD


async def prepare(command: CompletePasswordReset, request: Request, tools: Tools) -> Proof:
    """Find the code's user, judge the new password, hash it; nothing is hashed for a bad code."""
    proof, found = await tools.by_code(command.code)
    if found is None or not found.is_open(_PURPOSE, clock.now()):
        return Proof(refusal=Rejected.because(Code.CODE_INVALID), about=proof.user_id)
    new = command.new_password.get_secret_value()
    address = canonical(found.address) or ""
    refusal = judge(new, address, tools.policy.password_min_length)
    if refusal is not None:
        return Proof(refusal=Rejected.because(refusal), about=proof.user_id)
    hashed = await tools.hashes.hash(new, request.derived.salt)
    return replace(proof, every_session=True, password_hash=hashed)


def decide(_: CompletePasswordReset, case: Case) -> Outcome:
    """The new password counts, if the code is still good; whoever read the mail has the address."""
    user, code = case.rows.user(case.proof.user_id), case.rows.code(case.proof.code_hash)
    if user is None or code is None or not user.is_active or code.address != user.email:
        return refused(Code.CODE_INVALID)
    if not code.is_open(_PURPOSE, case.at):
        return refused(Code.CODE_INVALID)
    events = _events(case, user)
    ended = case.ending(user, EndReason.PASSWORD_CHANGED, index=len(events))
    return Outcome(
        PasswordIsChanged(sessions_ended=len(ended)),
        (*events, *ended),
        mails=tuple(Mail.to(user, each) for each in _notices(user)),
    )


def _ends_factor(user: User) -> bool:
    """Whether a second factor was set up before anybody had read a mail to the address.

    It may be a stranger's, who registered an address that is not theirs.
    """
    return user.second_factor and not user.email_verified


def _notices(user: User) -> tuple[Template, ...]:
    changed, off = Template.PASSWORD_CHANGED, Template.SECOND_FACTOR_OFF
    return (changed, off) if _ends_factor(user) else (changed,)


def _events(case: Case, user: User) -> tuple[AnyEvent, ...]:
    events: list[AnyEvent] = [PasswordChanged(**case.told(user), reason=PasswordReason.RESET)]
    if not user.email_verified:
        events.append(EmailVerified(**case.told(user, len(events))))
    if _ends_factor(user):
        reason = FactorEndReason.PASSWORD_RESET
        events.append(TotpDisabled(**case.told(user, len(events)), reason=reason))
    if user.locked_until is not None:
        locked = user.is_locked(case.at)
        reason = UnlockReason.PASSWORD_RESET if locked else UnlockReason.EXPIRED
        events.append(UserUnlocked(**case.told(user, len(events)), reason=reason))
    return tuple(events)
