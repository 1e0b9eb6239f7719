"""What five things do while a part of the whole is down, on two processes of the service."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from authbus import AuthClient, EventStream, SessionStarted, Verifier
from authbus.client import Session
from authbus.errors import FeedStale

# Keys of records go to partitions by chance: with so many, both processes have some of each.
USERS, PASSWORD = 16, "correct horse battery"
PATIENCE = 90.0


@dataclass
class Users:
    """Sixteen people, each with a session to refresh and one to end."""

    auth: AuthClient
    to_refresh: Sequence[Session] = ()
    to_end: Sequence[Session] = ()
    told: set[UUID] = field(default_factory=set[UUID])

    async def come(self) -> None:
        """Register, and log in twice."""
        everybody = range(USERS)
        await asyncio.gather(*(self.auth.register(_email(user), PASSWORD) for user in everybody))
        self.to_refresh = await asyncio.gather(*map(self._log_in, everybody))
        self.to_end = await asyncio.gather(*map(self._log_in, everybody))

    async def follow(self, stream: EventStream) -> None:
        """Note of which sessions was told."""
        async for event in stream:
            if isinstance(event.data, SessionStarted):
                self.told.add(event.data.session_id)

    def asked(self) -> dict[str, "asyncio.Task[Any]"]:
        """Log-ins, refreshes and log-outs of all at once, and the events of the log-ins."""
        new = asyncio.gather(*map(self._log_in, range(USERS)))
        refreshed = asyncio.gather(
            *(self.auth.refresh(each, timeout=PATIENCE) for each in self.to_refresh)
        )
        ended = asyncio.gather(*(self.auth.log_out(each, timeout=PATIENCE) for each in self.to_end))
        return {
            "new log-in": _task(new),
            "refresh": _task(refreshed),
            "log-out": _task(ended),
            "events": asyncio.create_task(self._heard(new)),
        }

    async def settled(self, asked: dict[str, "asyncio.Task[Any]"]) -> None:
        """Who was logged in is refreshed next time, who was refreshed is logged out."""
        self.to_refresh, self.to_end = await asked["new log-in"], await asked["refresh"]

    async def _log_in(self, user: int) -> Session:
        return await self.auth.log_in(_email(user), PASSWORD, timeout=PATIENCE)

    async def _heard(self, log_ins: Awaitable[Sequence[Session]]) -> None:
        wanted = {each.session_id for each in await log_ins}
        await until(lambda: wanted <= self.told)


def fresh(verifier: Verifier, token: str) -> bool:
    """Whether it takes a token."""
    try:
        verifier.verify(token)
    except FeedStale:
        return False
    return True


async def until(condition: Callable[[], object], *, within: float = PATIENCE) -> float:
    """Wait until this holds; returns how long that took, in seconds."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - conditions of any kind
            await asyncio.sleep(0.02)
    return loop.time() - since


def _email(user: int) -> str:
    return f"user{user}@example.com"


async def _waited(of: Awaitable[Any]) -> Any:
    return await of


def _task(of: Awaitable[Any]) -> "asyncio.Task[Any]":
    return asyncio.create_task(_waited(of))
