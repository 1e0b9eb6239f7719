"""The part of `auth.admin` that is about what is held: look, export, erase."""

from typing import Literal
from uuid import UUID

from pydantic import SecretStr

from authbus.client.import_calls import ImportCalls
from authbus.client.pages import pages, whole
from authbus.commands import EraseUser, ExportUser, FindUsers, GetUser
from authbus.replies import FoundUsers, UserDetails, UserExport, UserIsErased


class LookupCalls(ImportCalls):
    """Each takes the administrator's own access token; see AdminCalls."""

    async def find(
        self,
        access_token: str,
        *,
        email_prefix: str | None = None,
        status: Literal["active", "deactivated"] | None = None,
        after: str | None = None,
        limit: int = 50,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> FoundUsers:
        """One page of users, `limit` at most; ask again with `after` its `next` until none."""
        token = SecretStr(access_token)
        return await self._call(
            lambda: FindUsers(
                access_token=token,
                email_prefix=email_prefix,
                status=status,
                after=after,
                limit=limit,
            ),
            FoundUsers,
            key="find",
            command_id=command_id,
            timeout=timeout,
        )

    async def get(
        self,
        access_token: str,
        user_id: UUID,
        *,
        ended_sessions: bool = False,
        after: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> UserDetails:
        """One user with their live sessions, and the newest that ended in the last 30 days.

        A page of them, which has dozens at least; ask again with `after` its `next` until there is
        none.
        """
        token = SecretStr(access_token)
        return await self._call(
            lambda: GetUser(
                access_token=token, user_id=user_id, ended_sessions=ended_sessions, after=after
            ),
            UserDetails,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )

    async def export(
        self, access_token: str, user_id: UUID, *, timeout: float | None = None
    ) -> UserExport:
        """All that is held of a user: every page, each within `timeout`."""
        return whole(
            await pages(
                lambda after: self.export_page(access_token, user_id, after=after, timeout=timeout)
            )
        )

    async def export_page(
        self,
        access_token: str,
        user_id: UUID,
        *,
        after: str | None = None,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> UserExport:
        """One page of it; ask again with `after` its `next` until there is none."""
        token = SecretStr(access_token)
        return await self._call(
            lambda: ExportUser(access_token=token, user_id=user_id, after=after),
            UserExport,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )

    async def erase(
        self,
        access_token: str,
        user_id: UUID,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> UserIsErased:
        """Erase a user; returns the receipt."""
        token = SecretStr(access_token)
        return await self._call(
            lambda: EraseUser(access_token=token, user_id=user_id),
            UserIsErased,
            key=str(user_id),
            command_id=command_id,
            timeout=timeout,
        )
