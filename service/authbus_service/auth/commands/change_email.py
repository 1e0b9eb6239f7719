"""ChangeEmail: a mail to the new address. The old one stays until that mail's code comes back.

An access token alone is not enough: whoever took one could take the account with it.
"""

from authbus.commands import ChangeEmail
from authbus.events import EmailChangeRequested
from authbus.replies import Code, MailQueued, Rejected
from authbus_service.auth.acting import actor
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import may_make
from authbus_service.auth.guessing.admission import admitted, own_key
from authbus_service.auth.guessing.attempt import Attempt, Settled, Verdict
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, Private, refused
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.users.email import canonical
from authbus_service.auth.users.service import holds
from authbus_service.auth.users.user import Credential
from authbus_service.core import clock
from authbus_service.core.security.masters import token_hash

_PURPOSE = Purpose.CHANGE_EMAIL
_WRONG = Rejected.because(Code.INVALID_CREDENTIALS)


async def prepare(command: ChangeEmail, request: Request, tools: Tools) -> Proof:
    """Read the token, verify the password; the address is claimed to see whether it is free.

    Nothing is hashed for a token of no live session; a wrong password counts as a guess.
    """
    address = canonical(command.new_email)
    if address is None:
        return Proof(refusal=Rejected.because(Code.EMAIL_INVALID))
    acting = tools.token(command.access_token.get_secret_value())
    rows = await tools.rows(Proof(acting=acting))
    who = actor(acting, rows, clock.now())
    if who is None:
        return Proof(refusal=Rejected.because(Code.INVALID_TOKEN))
    user = who.user
    attempt = Attempt(own_key(request.derived.masters, user.id), request.id, request.expires_at)
    if await admitted(attempt, tools.reserve) is not Verdict.HELD:
        await tools.hashes.pretend()
        return Proof(refusal=_WRONG, about=user.id)
    if not (await tools.hashes.verify(user.password_hash, command.password.get_secret_value())).ok:
        return Proof(refusal=_WRONG, attempt=attempt, about=user.id)
    return Proof(
        acting=acting,
        every_code=True,
        attempt=attempt,
        credential=Credential(user.id, user.password_hash, user.credential_version),
        claim=Claim(address, command.new_email, user.id),
    )


def decide(_: ChangeEmail, case: Case) -> Outcome:
    """A code for the new address, if it is free now; the claim of it does not last."""
    who, claim = actor(case.proof.acting, case.rows, case.at), case.proof.claim
    if who is None or claim is None:
        return refused(Code.INVALID_TOKEN)
    if not holds(case.proof.credential, who.user):
        return refused(Code.INVALID_CREDENTIALS)
    if not case.rows.may_have(claim.canonical, who.user.id):
        return refused(Code.EMAIL_TAKEN)
    if not may_make(_PURPOSE, case.rows.unused_codes(who.user.id), case.at):
        return refused(Code.TOO_SOON)
    return Outcome(
        MailQueued(expires_at=case.at + _PURPOSE.lifetime),
        (EmailChangeRequested(**case.told(who.user)),),
        Private(address=claim.address, code_hash=token_hash(case.request.derived.code(_PURPOSE))),
        (Mail(Template.CHANGE_EMAIL, who.user.id, claim.address),),
        Settled.CLEARED,
    )
