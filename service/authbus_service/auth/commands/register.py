"""RegisterUser: an account for a free address."""

from authbus.addresses import canonical
from authbus.commands import RegisterUser
from authbus.events import UserCreated
from authbus.replies import Code, Registered, Rejected
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, Private, refused
from authbus_service.auth.passwords.rules import judge, own_words
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.core.security.masters import token_hash


async def prepare(command: RegisterUser, request: Request, tools: Tools) -> Proof:
    """Judge address and password, then hash: a taken address costs what a free one does."""
    address = canonical(command.email)
    if address is None:
        return Proof(refusal=Rejected.because(Code.EMAIL_INVALID))
    password = command.password.get_secret_value()
    refusal = judge(
        password, own_words=own_words(address), min_length=tools.policy.password_min_length
    )
    if refusal is not None:
        return Proof(refusal=Rejected.because(refusal))
    return Proof(
        claim=Claim(address, command.email),
        password_hash=await tools.hashes.hash(password, request.derived.salt),
        registers=True,
    )


def decide(_: RegisterUser, case: Case) -> Outcome:
    """The address is ours and gets a mail to verify it, or it is taken."""
    request, proof = case.request, case.proof
    user_id = request.derived.user_id
    if proof.claim is None or not case.rows.may_have(proof.claim.canonical, user_id):
        return refused(Code.EMAIL_TAKEN)
    created = UserCreated(
        user_id=user_id, sequence=1, actor=f"user:{user_id}", causation_id=request.id
    )
    private = Private(
        address=proof.claim.address,
        canonical=proof.claim.canonical,
        password_hash=proof.password_hash,
        code_hash=token_hash(request.derived.code(Purpose.VERIFY_EMAIL)),
    )
    mail = Mail(Template.VERIFY_EMAIL, user_id, proof.claim.address)
    return Outcome(Registered(user_id=user_id), (created,), private, (mail,))
