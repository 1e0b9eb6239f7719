"""EraseAccount: a user erases their own account, by their token and their password."""

from dataclasses import replace

from authbus.commands import EraseAccount
from authbus.replies import Code, Rejected
from authbus_service.auth.acting import actor
from authbus_service.auth.case import Case
from authbus_service.auth.erasing import erased
from authbus_service.auth.guessing.admission import admitted, own_key
from authbus_service.auth.guessing.attempt import Attempt, Settled, Verdict
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.users.service import holds
from authbus_service.auth.users.user import Credential
from authbus_service.core import clock

_NOT_THEIRS = Rejected.because(Code.INVALID_TOKEN)
_WRONG = Rejected.because(Code.INVALID_CREDENTIALS)


async def prepare(command: EraseAccount, request: Request, tools: Tools) -> Proof:
    """Read the token, then verify the password: a wrong one costs a hash and counts as a guess."""
    acting = tools.token(command.access_token.get_secret_value())
    if acting is None:
        return Proof(refusal=_NOT_THEIRS)
    who = actor(acting, await tools.rows(Proof(acting=acting)), clock.now())
    if who is None:
        return Proof(refusal=_NOT_THEIRS)
    user = who.user
    attempt = Attempt(own_key(request.derived.masters, user.id), request.id, request.expires_at)
    if await admitted(attempt, tools.reserve) is not Verdict.HELD:
        await tools.hashes.pretend()
        return Proof(refusal=_WRONG, about=user.id)
    if not (await tools.hashes.verify(user.password_hash, command.password.get_secret_value())).ok:
        return Proof(refusal=_WRONG, attempt=attempt, about=user.id)
    return Proof(
        acting=acting,
        user_id=user.id,
        every_session=True,
        attempt=attempt,
        credential=Credential(user.id, user.password_hash, user.credential_version),
    )


def decide(_: EraseAccount, case: Case) -> Outcome:
    """Erase it, if the proof of the password still holds under the lock."""
    who = actor(case.proof.acting, case.rows, case.at)
    if who is None:
        return refused(Code.INVALID_TOKEN)
    if not holds(case.proof.credential, who.user):
        return refused(Code.INVALID_CREDENTIALS)
    return replace(erased(case, who.user), settled=Settled.CLEARED)
