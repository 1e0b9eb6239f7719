"""RequestPasswordReset: a mail with a code, if there is an account. The answer never tells.

It asks and writes the same for nobody's address, and so many requests for an address or from a
source are taken as wrong passwords would be.
"""

from authbus.addresses import canonical
from authbus.commands import RequestPasswordReset
from authbus.events import PasswordResetRequested
from authbus.password_replies import ResetIsRequested
from authbus.replies import Code, Rejected
from authbus_service.auth import actors
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import may_make
from authbus_service.auth.guessing.admission import (
    address_key,
    admitted,
    mailbox_key,
    reset_key,
    source_key,
)
from authbus_service.auth.guessing.attempt import Settled, Verdict
from authbus_service.auth.mail_limits import reset_mail_keys
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request

_PURPOSE = Purpose.RESET_PASSWORD


async def prepare(command: RequestPasswordReset, request: Request, tools: Tools) -> Proof:
    """Count the request, find whose address it is; beyond the limit it is nobody's."""
    address = canonical(command.email)
    if address is None:
        return Proof(refusal=Rejected.because(Code.EMAIL_INVALID))
    masters = request.derived.masters
    attempt = request.attempt(
        reset_key(masters, address), source=source_key(masters, command.ip_address, "reset")
    )
    found = await tools.credential(address)
    user_id = None if found is None else found.user_id
    match await admitted(attempt, tools.reserve):
        case Verdict.WAIT:
            return Proof(refusal=Rejected.because(Code.EXPIRED))
        case Verdict.REFUSED:
            return Proof(hidden=True, about=user_id)
        case Verdict.HELD:
            return Proof(
                user_id=user_id,
                every_code=True,
                attempt=attempt,
                hidden=True,
                mailbox=mailbox_key(masters, address),
                address=address_key(masters, address),
            )


def decide(_: RequestPasswordReset, case: Case) -> Outcome:
    """A code, unless there is nobody to get it or there were too many; one answer to all."""
    user = case.rows.user(case.proof.user_id)
    answer = ResetIsRequested(expires_at=case.at + _PURPOSE.lifetime)
    silent = Outcome(answer, settled=Settled.FAILED)
    if user is None or not user.is_active:
        return silent
    if not may_make(_PURPOSE, case.rows.unused_codes(user.id), case.at):
        return silent
    counted = reset_mail_keys(case, user)
    if counted is None:
        return silent
    return Outcome(
        answer,
        (PasswordResetRequested(**case.told(user, actor=actors.SERVICE)),),
        (Mail.to(user, Template.RESET_PASSWORD),),
        Settled.FAILED,
        counted,
    )
