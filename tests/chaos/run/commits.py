"""Faults on the wire between the services and PostgreSQL, each at a COMMIT."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import asyncpg

from tests.chaos.faults import Fault as How
from tests.chaos.faults import Side
from tests.chaos.run.stage import Stage
from tests.chaos.run.wire import FOR_LONG, LONG_HOLD, SHORT_HOLD, Fault, Span

# What only a group of commands, and only the relay, does in a transaction.
_GROUP, _RELAY = b"INSERT INTO inbox", b"DELETE FROM outbox"
UNKNOWN = ("lose the answer to a group's COMMIT", "lose the answer to the relay's COMMIT")
_HOLDS = ("hold a group's COMMIT", "hold its answer")
MENU = (
    *UNKNOWN,
    "cut before a group's COMMIT",
    *_HOLDS,
    *map(FOR_LONG.format, _HOLDS),
    "terminate who writes",
)
# Backends with a transaction that has written something; the server's own are none of these.
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""
_COMES_SECONDS, _LOOK_SECONDS = 5.0, 0.002


@dataclass(frozen=True)
class Commits:
    """Each of `faults` tells whether it happened; a lost answer must be one to a real COMMIT."""

    stage: Stage
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name."""
        return {
            "lose the answer to a group's COMMIT": lambda: self._cut(_GROUP, Side.RESPONSE),
            "lose the answer to the relay's COMMIT": lambda: self._cut(_RELAY, Side.RESPONSE),
            "cut before a group's COMMIT": lambda: self._cut(_GROUP, Side.REQUEST),
            **self._holds(_HOLDS[0], Side.REQUEST),
            **self._holds(_HOLDS[1], Side.RESPONSE),
            "terminate who writes": self._terminate,
        }

    async def _cut(self, statement: bytes, side: Side) -> bool:
        aim = self.stage.commits.aim(statement, How.CUT, side)
        try:
            return await _struck(aim.struck) and aim.was_committed is (side is Side.RESPONSE)
        finally:
            aim.lift()

    def _holds(self, name: str, side: Side) -> Mapping[str, Fault]:
        """Shorter than a transaction may be idle, and longer."""
        return {
            name: lambda: self._hold(side, SHORT_HOLD),
            FOR_LONG.format(name): lambda: self._hold(side, LONG_HOLD),
        }

    async def _hold(self, side: Side, span: Span) -> bool:
        """The server's time-out may end the transaction meanwhile."""
        aim = self.stage.commits.aim(_GROUP, How.HOLD, side)
        try:
            if not await _struck(aim.struck):
                return False
            await asyncio.sleep(self.random.uniform(*span))
            return True
        finally:
            aim.lift()

    async def _terminate(self) -> bool:
        with suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            async with asyncio.timeout(_COMES_SECONDS), self.stage.database() as db:
                while not await db.fetchval(_TERMINATE):  # noqa: ASYNC110 - a server wakes nobody
                    await asyncio.sleep(_LOOK_SECONDS)
                return True
        return False


async def _struck(event: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_COMES_SECONDS):
            await event.wait()
    return event.is_set()
