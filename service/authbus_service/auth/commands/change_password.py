"""ChangePassword: a user sets a new password. All their other sessions end."""

from dataclasses import replace

from authbus.addresses import canonical
from authbus.commands import ChangePassword
from authbus.events import EndReason, PasswordChanged, PasswordReason
from authbus.password_replies import PasswordIsChanged
from authbus.replies import Code, Rejected
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.mails import Template
from authbus_service.auth.notices import notice
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.passwords.rules import judge
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.proving_again import by_password, proven
from authbus_service.auth.request import Request
from authbus_service.auth.users.user import User


async def prepare(command: ChangePassword, request: Request, tools: Tools) -> Proof:
    """Read the token, judge the new password, verify the current one, hash the new one.

    Nothing is hashed for a token of no live session; a wrong current password costs one hash and
    counts as a guess.
    """
    new = command.new_password.get_secret_value()

    def judged(user: User) -> Rejected | None:
        address = canonical(user.email) or ""
        broken = judge(new, address, tools.policy.password_min_length)
        return None if broken is None else Rejected.because(broken)

    proof = await by_password(
        command.access_token, command.current_password, request, tools, judge=judged
    )
    if proof.credential is None:
        return proof
    hashed = await tools.hashes.hash(new, request.derived.salt)
    return replace(proof, every_session=True, every_code=True, password_hash=hashed)


def decide(_: ChangePassword, case: Case) -> Outcome:
    """The new password counts, if the proof of the current one still holds; a mail tells of it."""
    who = proven(case)
    if isinstance(who, Code):
        return refused(who)
    changed = PasswordChanged(**case.told(who.user), reason=PasswordReason.CHANGED)
    ended = case.ending(who.user, EndReason.PASSWORD_CHANGED, but=who.session.id, index=1)
    return Outcome(
        PasswordIsChanged(sessions_ended=len(ended)),
        (changed, *ended),
        notice(who.user, Template.PASSWORD_CHANGED),
        settled=Settled.CLEARED,
    )
