"""CreateServiceAccount: an administrator makes an account for a machine."""

from authbus.events import UserCreated
from authbus.replies import Code
from authbus.service_accounts import CreateServiceAccount
from authbus.state import UserKind
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import Outcome, SecretMade, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission


async def prepare(command: CreateServiceAccount, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token)


def decide(_: CreateServiceAccount, case: Case) -> Outcome:
    """An account without address, password and roles, and its secret."""
    admin = administrator(case, Permission.SERVICES_WRITE, sensitive=True)
    if isinstance(admin, Code):
        return refused(admin)
    request = case.request
    created = UserCreated(
        user_id=request.derived.user_id,
        sequence=1,
        actor=admin.name,
        causation_id=request.id,
        kind=UserKind.SERVICE,
    )
    expires_at = case.at + Purpose.SERVICE_SECRET.lifetime
    return Outcome(SecretMade(user_id=created.user_id, expires_at=expires_at), (created,))
