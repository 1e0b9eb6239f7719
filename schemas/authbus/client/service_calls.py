"""`auth.services`: accounts of machines, made by administrators, and how a machine logs in."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.service_accounts import (
    CreateServiceAccount,
    LogInService,
    RotateServiceSecret,
    ServiceLoggedIn,
    ServiceSecret,
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account with the secret that was made for it, which is never shown again."""

    user_id: UUID
    secret: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceSession:
    """A machine's log-in: when its token has run out it logs in anew."""

    user_id: UUID
    session_id: UUID
    access_token: str = field(repr=False)
    access_token_expires_at: datetime


class ServiceCalls:
    """The first two take an administrator's own access token."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def create(
        self,
        access_token: str,
        name: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> ServiceAccount:
        """Make an account for a machine; give it roles with `admin.grant_role`."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: CreateServiceAccount(access_token=token, name=name),
            ServiceSecret,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return _account(found)

    async def rotate_secret(
        self,
        access_token: str,
        user_id: UUID,
        *,
        overlap_hours: int = 24,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> ServiceAccount:
        """A new secret; the former ones are good for so many hours more.

        With none they are void at once, and the account's sessions end.
        """
        token = SecretStr(access_token)
        found = await self._call(
            lambda: RotateServiceSecret(
                access_token=token, user_id=user_id, overlap_hours=overlap_hours
            ),
            ServiceSecret,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return _account(found)

    async def log_in(
        self,
        user_id: UUID,
        secret: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> ServiceSession:
        """A token for a machine. Raises AuthRejected: `invalid_credentials` whatever is wrong."""
        found = await self._call(
            lambda: LogInService(user_id=user_id, secret=SecretStr(secret)),
            ServiceLoggedIn,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
        return ServiceSession(
            user_id=found.user_id,
            session_id=found.session_id,
            access_token=found.access_token.get_secret_value(),
            access_token_expires_at=found.access_token_expires_at,
        )


def _account(found: ServiceSecret) -> ServiceAccount:
    return ServiceAccount(found.user_id, found.secret.get_secret_value(), found.expires_at)
