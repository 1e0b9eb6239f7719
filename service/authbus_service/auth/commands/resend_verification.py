"""ResendVerification: another mail to the address that the account has."""

from authbus.addresses import canonical
from authbus.commands import ResendVerification
from authbus.events import EmailVerificationRequested
from authbus.replies import Code, MailQueued, Rejected
from authbus_service.auth.asking import acting_now
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import may_make
from authbus_service.auth.guessing.admission import mailbox_key
from authbus_service.auth.mail_limits import mail_keys
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.core import clock

_PURPOSE = Purpose.VERIFY_EMAIL


async def prepare(command: ResendVerification, request: Request, tools: Tools) -> Proof:
    """Read the token and whose mailbox it is; unused codes are loaded under the lock.

    An address that changes meanwhile is one that was shown, so that no mail goes to another one.
    """
    who = await acting_now(command.access_token, request, tools, clock.now())
    if who is None:
        return Proof(refusal=Rejected.because(Code.INVALID_TOKEN))
    address = canonical(who.user.email)
    mailbox = None if address is None else mailbox_key(request.derived.masters, address)
    return Proof(acting=who.acting, every_code=True, mailbox=mailbox)


def decide(_: ResendVerification, case: Case) -> Outcome:
    """One more code, unless there is no need or there were too many."""
    who = case.who
    if who is None:
        return refused(Code.INVALID_TOKEN)
    if who.user.is_service:
        return refused(Code.FORBIDDEN)
    if who.user.email_verified:
        return refused(Code.EMAIL_VERIFIED)
    if not may_make(_PURPOSE, case.rows.unused_codes(who.user.id), case.at):
        return refused(Code.TOO_SOON)
    counted = mail_keys(case, who.user)
    if counted is None:
        return refused(Code.TOO_SOON)
    return Outcome(
        MailQueued(expires_at=case.at + _PURPOSE.lifetime),
        (EmailVerificationRequested(**case.told(who.user)),),
        (Mail.to(who.user, Template.VERIFY_EMAIL),),
        counted=counted,
    )
