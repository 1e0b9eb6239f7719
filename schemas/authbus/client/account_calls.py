"""`auth.account`: what a user does about their own account."""

from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.client.pages import pages, whole
from authbus.commands import EraseAccount, ExportAccount
from authbus.replies import UserExport, UserIsErased


class AccountCalls:
    """Each takes the user's access token. Raises AuthRejected: `invalid_token` when it is over."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def export(self, access_token: str, *, timeout: float | None = None) -> UserExport:
        """All that is held of the user: every page, each within `timeout`."""
        token = SecretStr(access_token)

        async def page(after: str | None) -> UserExport:
            return await self._call(
                lambda: ExportAccount(access_token=token, after=after),
                UserExport,
                key=whose(access_token),
                timeout=timeout,
            )

        return whole(await pages(page))

    async def erase(
        self,
        access_token: str,
        password: str,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> UserIsErased:
        """Erase the account; returns the receipt. Raises `invalid_credentials` too."""
        token = SecretStr(access_token)
        return await self._call(
            lambda: EraseAccount(access_token=token, password=SecretStr(password)),
            UserIsErased,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
