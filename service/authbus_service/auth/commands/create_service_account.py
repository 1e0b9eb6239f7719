"""CreateServiceAccount: an administrator makes an account for a machine."""

from authbus.events import UserCreated
from authbus.replies import Code
from authbus.service_accounts import CreateServiceAccount
from authbus.state import UserKind
from authbus_service.auth.administering import administrator
from authbus_service.auth.case import Case
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.outcome import Outcome, Private, SecretMade, refused
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Request
from authbus_service.auth.roles.permissions import Permission
from authbus_service.core.security.masters import token_hash

_PURPOSE = Purpose.SERVICE_SECRET


async def prepare(command: CreateServiceAccount, _: Request, tools: Tools) -> Proof:
    """Read the token."""
    return tools.administering(command.access_token)


def decide(command: CreateServiceAccount, case: Case) -> Outcome:
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
    private = Private(
        profile={"display_name": command.name},
        code_hash=token_hash(request.derived.code(_PURPOSE)),
    )
    made = SecretMade(user_id=created.user_id, expires_at=case.at + _PURPOSE.lifetime)
    return Outcome(made, (created,), private)
