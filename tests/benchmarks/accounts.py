"""What costs a hash, registrations and log-ins, and log-outs, also beside many of those."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count

from authbus.client.results import Session
from tests.benchmarks.load import Cell, cell_of, closed
from tests.benchmarks.service import Running

PASSWORD = "correct horse battery"
IN_FLIGHT = 32
USERS = 64
# So many log in without a pause, while somebody else logs out.
BESIDE = 8
_NUMBERS = count()


def address(number: int) -> str:
    return f"user{number % USERS}@example.com"


async def registered(running: Running) -> None:
    """Register those who log in."""
    await asyncio.gather(
        *(running.auth.register(address(number), PASSWORD) for number in range(USERS))
    )


async def registrations(running: Running, seconds: float) -> Cell:
    async def work(_: int) -> None:
        await running.auth.register(f"new{next(_NUMBERS)}@example.com", PASSWORD)

    return await closed(IN_FLIGHT, seconds, work, running.processes)


async def log_ins(running: Running, callers: int, seconds: float) -> tuple[Cell, list[Session]]:
    sessions: list[Session] = []

    async def work(turn: int) -> None:
        sessions.append(await running.auth.log_in(address(turn), PASSWORD))

    return await closed(callers, seconds, work, running.processes), sessions


async def log_outs(running: Running, sessions: Sequence[Session], seconds: float) -> Cell:
    left = list(sessions)

    async def work(_: int) -> None:
        if left:
            await running.auth.log_out(left.pop())

    return await closed(IN_FLIGHT, min(seconds, len(left) / 2000), work, running.processes)


async def log_outs_beside(running: Running, sessions: Sequence[Session], seconds: float) -> Cell:
    """One log-out after the other, while log-ins keep every hash thread busy."""
    took: list[float] = []
    left = list(sessions)
    busy = asyncio.create_task(log_ins(running, BESIDE, seconds))
    began = time.perf_counter()
    while left and not busy.done():
        start = time.perf_counter()
        await running.auth.log_out(left.pop())
        took.append(time.perf_counter() - start)
    passed = time.perf_counter() - began
    await busy
    return cell_of(took, passed, {})
