"""ResendVerification: another mail to the address that the account has."""

from authbus.commands import ResendVerification
from authbus.events import EmailVerificationRequested
from authbus.replies import Code, MailQueued
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.codes.service import may_make
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request

_PURPOSE = Purpose.VERIFY_EMAIL


async def prepare(command: ResendVerification, _: Request, tools: Tools) -> Proof:
    """Read the token; the user's unused codes are loaded under the lock."""
    return Proof(acting=tools.token(command.access_token.get_secret_value()), every_code=True)


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
    return Outcome(
        MailQueued(expires_at=case.at + _PURPOSE.lifetime),
        (EmailVerificationRequested(**case.told(who.user)),),
        (Mail.to(who.user, Template.VERIFY_EMAIL),),
    )
