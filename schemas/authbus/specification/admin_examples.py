"""Examples of what administrators ask and what comes of it."""

from uuid import UUID

from authbus.commands import DeactivateUser, GrantRole, ReactivateUser, RevokeRole, UnlockUser
from authbus.events import (
    DeactivationReason,
    RoleGranted,
    RoleRevoked,
    UserDeactivated,
    UserReactivated,
)
from authbus.message import Message
from authbus.replies import UserIsActive, UserIsDeactivated, UserIsUnlocked, UserRoles
from authbus.specification.schemas import Json

_ADMIN = UUID("019cade2-0f10-8c11-9a70-5be1c5e0a942")


def values(user_id: UUID, command_id: UUID) -> tuple[Message, ...]:
    """One of each message, about this user."""
    asked: Json = {"access_token": "header.payload.signature", "user_id": user_id}
    caused: Json = {"user_id": user_id, "actor": f"admin:{_ADMIN}", "causation_id": command_id}
    return (
        DeactivateUser.model_validate({**asked, "reason": "compromised"}),
        ReactivateUser.model_validate(asked),
        GrantRole.model_validate({**asked, "role": "clerk"}),
        RevokeRole.model_validate({**asked, "role": "clerk"}),
        UserIsDeactivated(user_id=user_id, sessions_ended=2),
        UnlockUser.model_validate(asked),
        UserIsUnlocked(user_id=user_id),
        UserIsActive(user_id=user_id),
        UserRoles(user_id=user_id, roles=("clerk",)),
        RoleGranted(sequence=8, role="clerk", **caused),
        RoleRevoked(sequence=9, role="clerk", **caused),
        UserDeactivated(sequence=4, reason=DeactivationReason.COMPROMISED, **caused),
        UserReactivated(sequence=7, **caused),
    )
