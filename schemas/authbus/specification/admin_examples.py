"""Examples of what administrators ask and what comes of it."""

from datetime import datetime
from uuid import UUID

from authbus.commands import (
    DeactivateUser,
    EndUserSessions,
    EraseAccount,
    EraseUser,
    ExportAccount,
    ExportUser,
    FindUsers,
    GetUser,
    GrantRole,
    ImportUser,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.events import (
    DeactivationReason,
    RoleGranted,
    RoleRevoked,
    UserDeactivated,
    UserErased,
    UserReactivated,
)
from authbus.message import Message
from authbus.replies import (
    FoundUsers,
    UserDetails,
    UserEntry,
    UserExport,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
    UserIsImported,
    UserIsUnlocked,
    UserRoles,
)
from authbus.specification.schemas import Json
from authbus.state import UserStatus
from authbus.topics import COMMANDS_KEPT

_BY_TOKEN: Json = {"access_token": "header.payload.signature"}
# Of a password that nobody has.
_BCRYPT = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m"
_ADMIN = UUID("019cade2-0f10-8c11-9a70-5be1c5e0a942")


def values(user_id: UUID, command_id: UUID, at: datetime) -> tuple[Message, ...]:
    """One of each message, about this user."""
    asked: Json = {**_BY_TOKEN, "user_id": user_id}
    ana = _entry(user_id, at)
    caused: Json = {"user_id": user_id, "actor": f"admin:{_ADMIN}", "causation_id": command_id}
    return (
        DeactivateUser.model_validate({**asked, "reason": "compromised"}),
        EndUserSessions.model_validate(asked),
        ReactivateUser.model_validate(asked),
        GrantRole.model_validate({**asked, "role": "clerk"}),
        RevokeRole.model_validate({**asked, "role": "clerk"}),
        EraseAccount.model_validate({**_BY_TOKEN, "password": "correct horse battery"}),
        EraseUser.model_validate(asked),
        ExportAccount.model_validate(_BY_TOKEN),
        ExportUser.model_validate(asked),
        GetUser.model_validate(asked),
        FindUsers.model_validate({**_BY_TOKEN, "email_prefix": "ana@", "limit": 20}),
        *_imported(user_id),
        UserIsDeactivated(user_id=user_id, sessions_ended=2),
        UnlockUser.model_validate(asked),
        UserIsUnlocked(user_id=user_id),
        UserIsActive(user_id=user_id),
        UserRoles(user_id=user_id, roles=("clerk",)),
        RoleGranted(sequence=8, role="clerk", **caused),
        RoleRevoked(sequence=9, role="clerk", **caused),
        UserIsErased(user_id=user_id, sessions_ended=1, commands_gone_at=at + COMMANDS_KEPT),
        UserExport(
            user_id=user_id,
            exported_at=at,
            tables={"users": [{"id": str(user_id), "email": "ana@example.com"}]},
        ),
        FoundUsers(users=(ana,)),
        UserDetails(user=ana, sequence=7, sessions=()),
        UserErased(sequence=12, **caused),
        UserDeactivated(sequence=4, reason=DeactivationReason.COMPROMISED, **caused),
        UserReactivated(sequence=7, **caused),
    )


def _imported(user_id: UUID) -> tuple[Message, ...]:
    asked = {"email": "ana@example.com", "email_verified": True, "display_name": "Ana"}
    return (
        ImportUser.model_validate({**_BY_TOKEN, **asked, "password_hash": _BCRYPT}),
        UserIsImported(user_id=user_id),
    )


def _entry(user_id: UUID, at: datetime) -> UserEntry:
    return UserEntry(
        user_id=user_id,
        email="ana@example.com",
        email_verified=True,
        status=UserStatus.ACTIVE,
        roles=("clerk",),
        created_at=at,
    )
