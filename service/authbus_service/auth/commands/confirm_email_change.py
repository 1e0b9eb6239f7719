"""ConfirmEmailChange: the new address is its user's, so it takes the old one's place."""

from dataclasses import replace

from authbus.addresses import canonical
from authbus.commands import ConfirmEmailChange
from authbus.events import EmailChanged
from authbus.replies import Code, EmailIsChanged
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.mails import Template
from authbus_service.auth.notices import notice
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Claim, Proof, Tools
from authbus_service.auth.request import Request

_PURPOSE = Purpose.CHANGE_EMAIL


async def prepare(command: ConfirmEmailChange, _: Request, tools: Tools) -> Proof:
    """Find the code's user, and claim for them the address that it was mailed to."""
    proof, found = await tools.by_code(command.code)
    if found is None or found.purpose != _PURPOSE:
        return proof
    claim = Claim(canonical(found.address) or "", found.address, found.user_id)
    return replace(proof, claim=claim)


def decide(_: ConfirmEmailChange, case: Case) -> Outcome:
    """The address changes, if nobody else has got it meanwhile; the old one is told."""
    user, code = case.rows.user(case.proof.user_id), case.rows.code(case.proof.code_hash)
    if user is None or code is None or not user.is_active or code.purpose != _PURPOSE:
        return refused(Code.CODE_INVALID)
    answer = EmailIsChanged(user_id=user.id)
    if code.used_at is not None and code.address == user.email:
        return Outcome(answer)
    claim = case.proof.claim
    if claim is None or not code.is_open(_PURPOSE, case.at):
        return refused(Code.CODE_INVALID)
    if not case.rows.may_have(claim.canonical, user.id):
        return refused(Code.EMAIL_TAKEN)
    return Outcome(
        answer,
        (EmailChanged(**case.told(user)),),
        notice(user, Template.EMAIL_CHANGED),
    )
