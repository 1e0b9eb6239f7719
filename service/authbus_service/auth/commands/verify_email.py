"""VerifyEmail: whoever has the code of a mail has read that mail."""

from authbus.commands import VerifyEmail
from authbus.events import EmailVerified
from authbus.replies import Code, EmailIsVerified
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request


async def prepare(command: VerifyEmail, _: Request, tools: Tools) -> Proof:
    """Find the code's user, under whose lock it stands."""
    proof, _found = await tools.by_code(command.code)
    return proof


def decide(_: VerifyEmail, case: Case) -> Outcome:
    """The address that the mail went to is the user's, if the account still has it."""
    user, code = case.rows.user(case.proof.user_id), case.rows.code(case.proof.code_hash)
    if user is None or code is None or not user.is_active:
        return refused(Code.CODE_INVALID)
    if code.purpose != Purpose.VERIFY_EMAIL or code.address != user.email:
        return refused(Code.CODE_INVALID)
    answer = EmailIsVerified(user_id=user.id)
    if user.email_verified:
        return Outcome(answer)
    if not code.is_open(Purpose.VERIFY_EMAIL, case.at):
        return refused(Code.CODE_INVALID)
    return Outcome(answer, (EmailVerified(**case.told(user)),))
