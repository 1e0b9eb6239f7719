"""ChangePassword: a user sets a new password. All their other sessions end."""

from authbus.commands import ChangePassword
from authbus.events import EndReason, PasswordChanged, PasswordReason
from authbus.password_replies import PasswordIsChanged
from authbus.replies import Code, Rejected
from authbus_service.auth.acting import actor
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.admission import admitted, own_key
from authbus_service.auth.guessing.attempt import Attempt, Settled, Verdict
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, Private, refused
from authbus_service.auth.passwords.rules import judge, own_words
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.users.email import canonical
from authbus_service.auth.users.service import holds
from authbus_service.auth.users.user import Credential
from authbus_service.core import clock

_NOT_THEIRS = Rejected.because(Code.INVALID_TOKEN)
_WRONG = Rejected.because(Code.INVALID_CREDENTIALS)


async def prepare(command: ChangePassword, request: Request, tools: Tools) -> Proof:
    """Read the token, judge the new password, verify the current one, hash the new one.

    Nothing is hashed for a token of no live session; a wrong current password costs one hash and
    counts as a guess.
    """
    acting = tools.token(command.access_token.get_secret_value())
    if acting is None:
        return Proof(refusal=_NOT_THEIRS)
    who = actor(acting, await tools.rows(Proof(acting=acting)), clock.now())
    if who is None:
        return Proof(refusal=_NOT_THEIRS)
    user, new = who.user, command.new_password.get_secret_value()
    words = own_words(canonical(user.email) or "")
    refusal = judge(new, own_words=words, min_length=tools.policy.password_min_length)
    if refusal is not None:
        return Proof(refusal=Rejected.because(refusal))
    attempt = Attempt(own_key(request.derived.masters, user.id), request.id, request.expires_at)
    if await admitted(attempt, tools.reserve) is not Verdict.HELD:
        await tools.hashes.pretend()
        return Proof(refusal=_WRONG, about=user.id)
    current = command.current_password.get_secret_value()
    if not (await tools.hashes.verify(user.password_hash, current)).ok:
        return Proof(refusal=_WRONG, attempt=attempt, about=user.id)
    return Proof(
        acting=acting,
        user_id=user.id,
        every_session=True,
        every_code=True,
        attempt=attempt,
        credential=Credential(user.id, user.password_hash, user.credential_version),
        password_hash=await tools.hashes.hash(new, request.derived.salt),
    )


def decide(_: ChangePassword, case: Case) -> Outcome:
    """The new password counts, if the proof of the current one still holds; a mail tells of it."""
    proof = case.proof
    who = actor(proof.acting, case.rows, case.at)
    if who is None:
        return refused(Code.INVALID_TOKEN)
    if not holds(proof.credential, who.user):
        return refused(Code.INVALID_CREDENTIALS)
    changed = PasswordChanged(**case.told(who.user), reason=PasswordReason.CHANGED)
    ended = case.ending(who.user, EndReason.PASSWORD_CHANGED, but=who.session.id, place=1)
    return Outcome(
        PasswordIsChanged(sessions_ended=len(ended)),
        (changed, *ended),
        Private(password_hash=proof.password_hash),
        (Mail.to(who.user, Template.PASSWORD_CHANGED),),
        settled=Settled.CLEARED,
    )
