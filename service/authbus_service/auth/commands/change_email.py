"""ChangeEmail: a mail to the new address. The old one stays until that mail's code comes back.

An access token alone is not enough: whoever took one could take the account with it.
"""

from dataclasses import replace

from authbus.addresses import canonical
from authbus.commands import ChangeEmail
from authbus.events import EmailChangeRequested
from authbus.replies import Code, MailQueued, Rejected
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import may_make
from authbus_service.auth.guessing.admission import change_key, mailbox_key
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.guessing.limits import may_ask, may_mail
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.proving_again import by_password, proven
from authbus_service.auth.request import Request
from authbus_service.auth.users.user import User

_PURPOSE = Purpose.CHANGE_EMAIL


async def prepare(command: ChangeEmail, request: Request, tools: Tools) -> Proof:
    """Read the token, verify the password; the address is claimed to see whether it is free.

    Nothing is hashed for a token of no live session; a wrong password counts as a guess.
    """
    address = canonical(command.new_email)
    if address is None:
        return Proof(refusal=Rejected.because(Code.EMAIL_INVALID))
    proof = await by_password(command.access_token, command.password, request, tools)
    if proof.credential is None:
        return proof
    user_id = proof.credential.user_id
    masters = request.derived.masters
    return replace(
        proof,
        every_code=True,
        claim=Claim(address, command.new_email, user_id),
        source=change_key(masters, user_id),
        mailbox=mailbox_key(masters, address),
    )


def decide(_: ChangeEmail, case: Case) -> Outcome:
    """A code for the new address, if it is free now; the claim of it does not last.

    Who asks is told a few times a day whether an address is taken, and nothing in between. Few
    mails a day go to one mailbox, from however many accounts they are asked for.
    """
    who, proof = proven(case), case.proof
    if isinstance(who, Code):
        return refused(who)
    claim, asker, mailbox = proof.claim, proof.source, proof.mailbox
    if claim is None or asker is None or mailbox is None:
        return refused(Code.INVALID_TOKEN)
    if not _may_ask(case, who.user):
        return refused(Code.TOO_SOON)
    if not case.rows.may_have(claim.canonical, who.user.id):
        return replace(refused(Code.EMAIL_TAKEN), counted=(asker,))
    return Outcome(
        MailQueued(expires_at=case.at + _PURPOSE.lifetime),
        (EmailChangeRequested(**case.told(who.user)),),
        (Mail(Template.CHANGE_EMAIL, who.user.id, claim.address),),
        Settled.CLEARED,
        (asker, mailbox),
    )


def _may_ask(case: Case, user: User) -> bool:
    rows, proof = case.rows, case.proof
    pauses = may_make(_PURPOSE, rows.unused_codes(user.id), case.at)
    return pauses and may_ask(rows.counted(proof.source)) and may_mail(rows.counted(proof.mailbox))
