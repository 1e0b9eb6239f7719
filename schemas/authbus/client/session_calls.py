"""`auth.sessions`: what a user does about their own log-ins."""

from uuid import UUID

from pydantic import SecretStr

from authbus.client.calling import Caller
from authbus.client.keys import whose
from authbus.client.pages import pages
from authbus.commands import EndAllSessions, EndSession, ListSessions
from authbus.replies import AllSessionsEnded, SessionEntry, SessionIsEnded, SessionList


class SessionCalls:
    """Each takes the user's access token. Raises AuthRejected: `invalid_token` when it is over."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def list(
        self, access_token: str, *, timeout: float | None = None
    ) -> tuple[SessionEntry, ...]:
        """The user's live sessions, oldest first: every page, each within `timeout`."""
        token = SecretStr(access_token)

        async def page(after: str | None) -> SessionList:
            return await self._call(
                lambda: ListSessions(access_token=token, after=after),
                SessionList,
                key=whose(access_token),
                timeout=timeout,
            )

        return tuple(each for found in await pages(page) for each in found.sessions)

    async def end(
        self,
        access_token: str,
        session_id: UUID,
        *,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> None:
        """End one of them; no error when it ended in the last 30 days."""
        token = SecretStr(access_token)
        await self._call(
            lambda: EndSession(access_token=token, session_id=session_id),
            SessionIsEnded,
            key=str(session_id),
            command_id=command_id,
            timeout=timeout,
        )

    async def end_all(
        self,
        access_token: str,
        *,
        this_one_too: bool = False,
        command_id: UUID | None = None,
        timeout: float | None = None,
    ) -> int:
        """End all others, and this one when asked; returns how many there were."""
        token = SecretStr(access_token)
        found = await self._call(
            lambda: EndAllSessions(access_token=token, this_one_too=this_one_too),
            AllSessionsEnded,
            key=whose(access_token),
            command_id=command_id,
            timeout=timeout,
        )
        return found.count
