"""Log-ins at a steady rate, whether the ones before have been answered or not."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from authbus import AuthClient, AuthRejected, AuthTimeout
from authbus.client import Session
from authbus.uuid7 import uuid7

PASSWORD = "correct horse battery"
_AT_ONCE = 20


@dataclass
class Steady:
    """`took` are seconds of each log-in, its second try included; `again` counts those by reason.

    A second try that fails too ends the whole.
    """

    auth: AuthClient
    name: str
    users: int
    rate: float
    timeout: float = 5.0
    took: list[float] = field(default_factory=list[float])
    again: Counter[str] = field(default_factory=Counter[str])
    sessions: list[Session] = field(default_factory=list[Session])

    async def come(self) -> None:
        """Register everybody."""
        for first in range(0, self.users, _AT_ONCE):
            some = range(first, min(first + _AT_ONCE, self.users))
            await asyncio.gather(*(self.auth.register(self.email(user), PASSWORD) for user in some))

    def email(self, user: int) -> str:
        return f"{self.name}{user}@example.com"

    @asynccontextmanager
    async def load(self) -> AsyncGenerator[None]:
        """For the length of a block; all that was asked has been answered at its end."""
        ended = asyncio.Event()
        running = asyncio.create_task(self._run(ended))
        try:
            yield
        finally:
            ended.set()
            await running

    def quantile(self, share: float, *, since: int = 0) -> float:
        """The time that so many of the log-ins took at most; the first `since` are left out."""
        ordered = sorted(self.took[since:])
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    def figures(self, *, since: int = 0) -> str:
        """One line for a person; the first `since` log-ins are left out."""
        some = {f"p{100 * each:g}": self.quantile(each, since=since) for each in (0.5, 0.99)}
        some["slowest"] = max(self.took[since:])
        shown = ", ".join(f"{name} {each:.2f} s" for name, each in some.items())
        tries = dict(self.again) or "none"
        return f"{len(self.took) - since} log-ins: {shown}; again: {tries}"

    async def _run(self, ended: asyncio.Event) -> None:
        loop, number = asyncio.get_running_loop(), 0
        began = loop.time()
        async with asyncio.TaskGroup() as asked:
            while not ended.is_set():
                asked.create_task(self._log_in(number % self.users))
                number += 1
                await asyncio.sleep(max(began + number / self.rate - loop.time(), 0))

    async def _log_in(self, user: int) -> None:
        loop, id_ = asyncio.get_running_loop(), uuid7()
        began = loop.time()
        try:
            session = await self._once(user, id_)
        except AuthTimeout:
            self.again["no answer in time"] += 1
            session = await self._once(user, id_)
        except AuthRejected as refused:
            self.again[refused.code] += 1
            session = await self._once(user, id_)
        self.sessions.append(session)
        self.took.append(loop.time() - began)

    async def _once(self, user: int, id_: UUID) -> Session:
        return await self.auth.log_in(
            self.email(user), PASSWORD, command_id=id_, timeout=self.timeout
        )
