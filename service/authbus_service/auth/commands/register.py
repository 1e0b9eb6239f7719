"""RegisterUser: an account for a free address.

Anybody may ask for one at anybody's address. So a place may ask only so often, and a mailbox gets
few mails a day; beyond that the account is made all the same, and its user asks for the mail later:
a refusal would tell of others, and keep out whom they had mails sent to.
"""

from dataclasses import replace

from authbus.addresses import canonical
from authbus.commands import RegisterUser
from authbus.events import UserCreated
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth import actors
from authbus_service.auth.case import Case
from authbus_service.auth.guessing.admission import mailbox_key, source_key
from authbus_service.auth.guessing.limits import may_mail
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.passwords.rules import judge
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.request import Request


async def prepare(command: RegisterUser, request: Request, tools: Tools) -> Proof:
    """Judge address and password, then hash: a taken address costs what a free one does."""
    address = canonical(command.email)
    if address is None:
        return Proof(refusal=Rejected.because(Code.EMAIL_INVALID))
    password = command.password.get_secret_value()
    refusal = judge(password, address, tools.policy.password_min_length)
    if refusal is not None:
        return Proof(refusal=Rejected.because(refusal))
    masters = request.derived.masters
    return Proof(
        claim=Claim(address, command.email),
        password_hash=await tools.hashes.hash(password, request.derived.salt),
        registers=True,
        source=source_key(masters, command.ip_address, "register"),
        mailbox=mailbox_key(masters, address),
    )


def decide(_: RegisterUser, case: Case) -> Outcome:
    """The address is ours and gets a mail to verify it, or it is taken.

    Either counts for the place, so that a refusal of one that asks too often tells nothing.
    """
    proof = case.proof
    if not case.policy.guessing.may_register(case.rows.counted(proof.source)):
        return refused(Code.TOO_SOON)
    asked = () if proof.source is None else (proof.source,)
    user_id = case.request.derived.user_id
    if proof.claim is None or not case.rows.may_have(proof.claim.canonical, user_id):
        return replace(refused(Code.EMAIL_TAKEN), counted=asked)
    created = replace(_created(case), counted=asked)
    if proof.mailbox is None or not may_mail(case.rows.counted(proof.mailbox)):
        return created
    mail = Mail(Template.VERIFY_EMAIL, user_id, proof.claim.address)
    return replace(created, mails=(mail,), counted=(*asked, proof.mailbox))


def _created(case: Case) -> Outcome:
    request, user_id = case.request, case.request.derived.user_id
    created = UserCreated(
        user_id=user_id, sequence=1, actor=actors.user(user_id), causation_id=request.id
    )
    return Outcome(Registered(user_id=user_id), (created,))
