"""What costs a hash, registrations and log-ins, and log-outs, also beside many of those."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, Protocol, TypeVar

import psutil

from tests.benchmarks.load import Cell, closed, opened

PASSWORD = "correct horse battery"
IN_FLIGHT = 32
USERS = 64
# So many log in without a pause, while somebody else logs out.
BESIDE = 8
# Far enough apart that each is over, and what it set in motion, before the next one.
ALONE_A_SECOND, BESIDE_A_SECOND = 5, 10
_NUMBERS = count()
S = TypeVar("S")


class Accounts(Protocol[S]):
    """What is asked of whoever is measured; `S` is a session of theirs."""

    async def register(self, email: str, password: str, /) -> object: ...

    async def log_in(self, email: str, password: str, /) -> S: ...

    async def log_out(self, session: S, /) -> object: ...


class Served(Protocol[S]):
    """A client, and the processes that work for it."""

    @property
    def auth(self) -> Accounts[S]: ...

    @property
    def processes(self) -> Mapping[str, psutil.Process]: ...


def address(number: int) -> str:
    return f"user{number % USERS}@example.com"


async def registered(running: Served[Any]) -> None:
    """Register those who log in."""
    await asyncio.gather(
        *(running.auth.register(address(number), PASSWORD) for number in range(USERS))
    )


async def registrations(running: Served[Any], seconds: float) -> Cell:
    async def work(_: int) -> None:
        await running.auth.register(f"new{next(_NUMBERS)}@example.com", PASSWORD)

    return await closed(IN_FLIGHT, seconds, work, running.processes)


async def log_ins(running: Served[S], callers: int, seconds: float) -> tuple[Cell, list[S]]:
    sessions: list[S] = []

    async def work(turn: int) -> None:
        sessions.append(await running.auth.log_in(address(turn), PASSWORD))

    return await closed(callers, seconds, work, running.processes), sessions


async def log_ins_alone(running: Served[S], seconds: float) -> tuple[Cell, list[S]]:
    """One now and then, each by itself."""
    sessions: list[S] = []

    async def work(turn: int) -> None:
        sessions.append(await running.auth.log_in(address(turn), PASSWORD))

    return await opened(ALONE_A_SECOND, seconds, work, running.processes), sessions


async def log_outs(
    running: Served[S], sessions: Sequence[S], seconds: float, *, callers: int = IN_FLIGHT
) -> Cell:
    """Until all are over or the time is."""
    left = list(sessions)

    async def work(_: int) -> None:
        await running.auth.log_out(left.pop())

    return await closed(callers, seconds, work, running.processes, calls=len(left))


async def log_outs_beside(running: Served[S], sessions: Sequence[S], seconds: float) -> Cell:
    """One log-out now and then, while log-ins keep every hash thread busy."""
    left = list(sessions)

    async def work(_: int) -> None:
        await running.auth.log_out(left.pop())

    busy = asyncio.create_task(log_ins(running, BESIDE, seconds))
    cell = await opened(min(BESIDE_A_SECOND, len(left) / seconds), seconds, work, running.processes)
    await busy
    return cell
