"""`auth.passwords`: what a user does about their own password."""

from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.commands import ChangePassword
from authbus.replies import PasswordIsChanged


class PasswordCalls:
    """Raises AuthRejected with the rule that refuses a new password (`password_common` ...)."""

    def __init__(self, call: Caller) -> None:
        self._call = call

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
