"""`auth.passwords`: what a user does about their own password."""

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.client.lanes import Lanes
from authbus.commands import ChangePassword, CompletePasswordReset, RequestPasswordReset
from authbus.password_replies import PasswordIsChanged, ResetIsRequested


class PasswordCalls:
    """Raises AuthRejected with the rule that refuses a new password (`password_common` ...)."""

    def __init__(self, call: Caller, lanes: Lanes) -> None:
        self._call = call
        self._lanes = lanes

    async def change(
        self,
        access_token: str,
        current_password: str,
        new_password: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> int:
        """Set a new one; returns how many other sessions of the user ended.

        Raises AuthRejected: `invalid_credentials` when the current one is wrong.
        """
        found = await self._call(
            lambda: ChangePassword(
                access_token=SecretStr(access_token),
                current_password=SecretStr(current_password),
                new_password=SecretStr(new_password),
            ),
            PasswordIsChanged,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return found.sessions_ended

    async def request_reset(
        self,
        email: str,
        *,
        ip_address: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> datetime:
        """A mail with a code to this address, if it has an account: the answer does not tell.

        `ip_address` is the user's: from one place there are not many. Returns until when the code
        is good.
        """
        found = await self._call(
            lambda: RequestPasswordReset(email=email, ip_address=ip_address),
            ResetIsRequested,
            key=self._lanes.key(email),
            command_id=command_id,
            timeout=timeout,
        )
        return found.expires_at

    async def reset(
        self,
        code: str,
        new_password: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> int:
        """Set a new one by the code of a mail; returns how many sessions of the user ended.

        Raises AuthRejected: `code_invalid` for one that is unknown, used, or past its time.
        """
        found = await self._call(
            lambda: CompletePasswordReset(
                code=SecretStr(code), new_password=SecretStr(new_password)
            ),
            PasswordIsChanged,
            key=self._lanes.key(code),
            command_id=command_id,
            timeout=timeout,
        )
        return found.sessions_ended
