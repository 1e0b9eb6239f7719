"""Who is signed in. Tokens stay here; the browser has a cookie that says nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from authbus import AuthClient, AuthError, AuthRejected, Claims, Code, Session
from authbus.uuid7 import uuid7


@dataclass
class Row:
    """A session with its tokens, and when it is time for new ones."""

    session: Session
    refresh_at: datetime
    refresh_id: UUID | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # in a table: SELECT ... FOR UPDATE


class SignedIn:
    """Stands for a table with the cookie's SHA-256 as its key: a copy of it signs nobody in."""

    def __init__(
        self, auth: AuthClient, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._auth, self._now = auth, now
        self._rows: dict[bytes, Row] = {}

    def begin(self, cookie: str, session: Session) -> None:
        """Keep a log-in under a cookie, which is new; forget those that are past their time."""
        now = self._now()
        kept = {key: row for key, row in self._rows.items() if row.session.session_expires_at > now}
        self._rows = {**kept, _key(cookie): Row(session, self._two_thirds(session))}

    async def claims(self, cookie: str) -> Claims | None:
        """Who it is, if anybody, checked offline. Raises AuthError while that cannot be told."""
        row = self._rows.get(_key(cookie))
        if row is None:
            return None
        try:
            async with row.lock:
                if self._now() >= row.refresh_at:
                    await self._refresh(row)
                return self._auth.verify(row.session.access_token)
        except AuthError as error:
            if error.retry_after is not None:
                raise  # not decided
        self._rows.pop(_key(cookie), None)  # the session is over
        return None

    async def end(self, cookie: str) -> None:
        """Log out. Raises AuthError when nobody answers, and then it can be tried again.

        Who is refused for good has no session any more.
        """
        row = self._rows.get(_key(cookie))
        if row is not None:
            async with row.lock:
                try:
                    await self._auth.log_out(row.session)
                except AuthRejected as error:
                    if error.retry_after is not None:
                        raise
            self._rows.pop(_key(cookie), None)

    async def _refresh(self, row: Row) -> None:
        """Fetch new tokens, under the same id until there is an answer.

        A refresh token is good once: shown under another id it would look like a stolen one.
        """
        kept, row.refresh_id = row.refresh_id, row.refresh_id or uuid7()
        try:
            row.session = await self._auth.refresh(row.session, command_id=row.refresh_id)
        except AuthError as error:
            if isinstance(error, AuthRejected):
                row.refresh_id = None  # decided, or nothing has happened: the next is another one
                if kept is not None and error.code is Code.STALE_ID:
                    await self._refresh(row)  # so long ago that nobody knows any more
                    return
            if error.retry_after is None or self._now() >= row.session.access_token_expires_at:
                raise
            return  # the token is good for a third of its life still
        row.refresh_id, row.refresh_at = None, self._two_thirds(row.session)

    def _two_thirds(self, session: Session) -> datetime:
        issued = self._auth.verify(session.access_token).issued_at
        return issued + (session.access_token_expires_at - issued) * 2 / 3


def _key(cookie: str) -> bytes:
    return sha256(cookie.encode()).digest()
