"""ForcePasswordReset: an administrator takes a password away; its user gets a mail to set another.

Codes that were mailed before are void: whoever had the password may have had the mailbox open.
"""

from dataclasses import replace

from authbus.commands import ForcePasswordReset
from authbus.events import EndReason, PasswordResetForced
from authbus.password_replies import PasswordIsVoid
from authbus.replies import Code
from authbus_service.auth.administering import no_more
from authbus_service.auth.case import Case
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.outcome import Outcome, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: ForcePasswordReset, _: Request, tools: Tools) -> Proof:
    """Read the token; the user, their sessions and codes are loaded under the lock."""
    proof = tools.administering(command.access_token, user_id=command.user_id, every_session=True)
    return replace(proof, every_code=True)


def decide(command: ForcePasswordReset, case: Case) -> Outcome:
    """The password is void, whatever the account's status; a deactivated one gets no mail."""
    found = no_more(case, Permission.USERS_WRITE, command.user_id)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    if user.is_service:
        return refused(Code.USER_UNKNOWN)
    forced = PasswordResetForced(**case.told(user, actor=admin.name))
    ended = case.ending(user, EndReason.ADMIN, index=1, actor=admin.name)
    answer = PasswordIsVoid(user_id=user.id, sessions_ended=len(ended))
    mails = (Mail.to(user, Template.FORCE_RESET),) if user.is_active else ()
    return Outcome(answer, (forced, *ended), mails)
