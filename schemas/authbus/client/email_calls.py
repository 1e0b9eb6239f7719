"""`auth.email`: an account's address, verified and changed."""

from datetime import datetime
from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.commands import ChangeEmail, ConfirmEmailChange, ResendVerification, VerifyEmail
from authbus.replies import EmailIsChanged, EmailIsVerified, MailQueued
from authbus.uuid7 import uuid7


class EmailCalls:
    """Codes come from the links of mails. Raises AuthRejected, `code_invalid` for a bad one."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def verify(
        self, code: str, *, command_id: UUID | None = None, timeout: float | None = None
    ) -> UUID:
        """The user whose address this code has verified, now or before."""
        found = await self._call(
            lambda: VerifyEmail(code=SecretStr(code)),
            EmailIsVerified,
            key=str(uuid7()),
            command_id=command_id,
            timeout=timeout,
        )
        return found.user_id

    async def resend_verification(
        self, access_token: str, *, command_id: UUID | None = None, timeout: float | None = None
    ) -> datetime:
        """Another mail to the account's address; returns until when its code is good."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: ResendVerification(access_token=token),
            MailQueued,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return found.expires_at

    async def change(
        self,
        access_token: str,
        password: str,
        new_email: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> datetime:
        """A mail to the new address; returns until when its code is good. Nothing changes yet."""
        token, secret = SecretStr(access_token), SecretStr(password)
        found = await self._call(
            lambda: ChangeEmail(access_token=token, password=secret, new_email=new_email),
            MailQueued,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return found.expires_at

    async def confirm_change(
        self, code: str, *, command_id: UUID | None = None, timeout: float | None = None
    ) -> UUID:
        """The user whose address is the new one from now on, or was before."""
        found = await self._call(
            lambda: ConfirmEmailChange(code=SecretStr(code)),
            EmailIsChanged,
            key=str(uuid7()),
            command_id=command_id,
            timeout=timeout,
        )
        return found.user_id
