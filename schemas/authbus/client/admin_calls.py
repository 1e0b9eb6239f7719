"""`auth.admin`: what an administrator does about users."""

from typing import Literal
from uuid import UUID

from pydantic import SecretStr

from authbus.client.lookup_calls import LookupCalls
from authbus.commands import (
    DeactivateUser,
    EndUserSessions,
    ForcePasswordReset,
    GrantRole,
    ReactivateUser,
    RevokeRole,
    UnlockUser,
)
from authbus.password_replies import PasswordIsVoid
from authbus.replies import (
    AllSessionsEnded,
    UserIsActive,
    UserIsDeactivated,
    UserIsUnlocked,
    UserRoles,
)
from authbus.second_factor import ResetSecondFactor, SecondFactorIsReset

Reason = Literal["unspecified", "requested", "compromised", "abuse", "dormant"]


class AdminCalls(LookupCalls):
    """Each takes the administrator's own access token.

    Raises AuthRejected: `invalid_token` when its session is over, `forbidden` when none of their
    roles permits it, `user_unknown`.
    """

    async def deactivate(
        self,
        access_token: str,
        user_id: UUID,
        *,
        reason: Reason = "unspecified",
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> int:
        """Shut an account; returns how many of its sessions ended."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: DeactivateUser(access_token=token, user_id=user_id, reason=reason),
            UserIsDeactivated,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return found.sessions_ended

    async def reactivate(
        self,
        access_token: str,
        user_id: UUID,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """Open a deactivated account again, whose user may do no more than one may oneself."""
        token = SecretStr(access_token)
        await self._call(
            lambda: ReactivateUser(access_token=token, user_id=user_id),
            UserIsActive,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )

    async def unlock(
        self,
        access_token: str,
        user_id: UUID,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """End a lock that wrong passwords brought; no error when there is none."""
        token = SecretStr(access_token)
        await self._call(
            lambda: UnlockUser(access_token=token, user_id=user_id),
            UserIsUnlocked,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )

    async def end_sessions(
        self,
        access_token: str,
        user_id: UUID | None = None,
        session_id: UUID | None = None,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> int:
        """End all sessions of a user, or this one, whoever's; returns how many ended."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: EndUserSessions(access_token=token, user_id=user_id, session_id=session_id),
            AllSessionsEnded,
            key=str(user_id or session_id),
            command_id=command_id,
            timeout=timeout,
        )
        return found.count

    async def reset_second_factor(
        self,
        access_token: str,
        user_id: UUID,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """Take a lost second factor from a user; no error when there is none."""
        token = SecretStr(access_token)
        await self._call(
            lambda: ResetSecondFactor(access_token=token, user_id=user_id),
            SecondFactorIsReset,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )

    async def grant_role(
        self,
        access_token: str,
        user_id: UUID,
        role: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Give a declared role that permits no more than one's own; returns all the user holds."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: GrantRole(access_token=token, user_id=user_id, role=role),
            UserRoles,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return found.roles

    async def revoke_role(
        self,
        access_token: str,
        user_id: UUID,
        role: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> tuple[str, ...]:
        """Take a role away; returns what the user still holds."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: RevokeRole(access_token=token, user_id=user_id, role=role),
            UserRoles,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return found.roles

    async def force_password_reset(
        self,
        access_token: str,
        user_id: UUID,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> int:
        """Take a password away and mail its user how to set another; returns the sessions ended."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: ForcePasswordReset(access_token=token, user_id=user_id),
            PasswordIsVoid,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return found.sessions_ended
