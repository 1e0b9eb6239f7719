"""RotateServiceSecret: an administrator gives a machine a new secret, beside the former ones."""

from dataclasses import replace
from datetime import timedelta

from authbus.events import EndReason, SessionEnded
from authbus.replies import Code
from authbus.service_accounts import RotateServiceSecret, ServiceSecretRotated
from authbus_service.auth.administering import administered
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import Outcome, SecretMade, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: RotateServiceSecret, _: Request, tools: Tools) -> Proof:
    """Read the token; the account's secrets and sessions are loaded under the lock."""
    proof = tools.administering(command.access_token, user_id=command.user_id, every_session=True)
    return replace(proof, every_code=True)


def decide(command: RotateServiceSecret, case: Case) -> Outcome:
    """A new secret, if the account may do no more than the administrator, who else gains rights.

    Without an overlap the former ones may be in wrong hands: the sessions that they began end.
    """
    found = administered(case, Permission.SERVICES_WRITE, command.user_id, sensitive=True)
    if isinstance(found, Code):
        return refused(found)
    admin, user = found
    if not user.is_service:
        return refused(Code.USER_UNKNOWN)
    if not admin.may_give(case.policy.roles.permissions(user.roles)):
        return refused(Code.FORBIDDEN)
    rotated = ServiceSecretRotated(
        **case.told(user, actor=admin.name),
        former_until=case.at + timedelta(hours=command.overlap_hours),
    )
    ended: tuple[SessionEnded, ...] = ()
    if not command.overlap_hours:
        ended = case.ending(user, EndReason.SECRET_ROTATED, index=1, actor=admin.name)
    made = SecretMade(user_id=user.id, expires_at=case.at + Purpose.SERVICE_SECRET.lifetime)
    return Outcome(made, (rotated, *ended))
