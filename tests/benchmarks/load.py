"""A closed loop of callers, and what it cost whom."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import psutil

Work = Callable[[int], Awaitable[None]]
_FORKING = frozenset({"peer", "postgres"})


@dataclass(frozen=True)
class Cell:
    """One measured stretch. Times in ms, CPU in ms a call and process."""

    rate: float
    p50: float
    p99: float
    calls: int
    cpu: dict[str, float]


def cpu_seconds(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """What each has spent since its start, in seconds; those who fork with all theirs."""
    spent: dict[str, float] = {}
    for name, process in processes.items():
        each = [process, *process.children(recursive=True)] if name in _FORKING else [process]
        times = [one.cpu_times() for one in each]
        spent[name] = sum(one.user + one.system for one in times)
    return spent


async def closed(
    callers: int,
    seconds: float,
    work: Work,
    processes: Mapping[str, psutil.Process],
    *,
    calls: float = math.inf,
) -> Cell:
    """Let so many callers call, each as soon as it is answered, for so long or so many calls.

    The rate is that of all of them together: it counts until the last call begins, since one call
    after the other ends then, and none begins.
    """
    took: list[float] = []
    begun, last = count(), 0.0
    before, began = cpu_seconds(processes), time.perf_counter()
    end = began + seconds

    async def caller(number: int) -> None:
        nonlocal last
        turn = number
        while (start := time.perf_counter()) < end and next(begun) < calls:
            last = start
            await work(turn)
            took.append(time.perf_counter() - start)
            turn += callers

    await asyncio.gather(*(caller(number) for number in range(callers)))
    passed, after = time.perf_counter() - began, cpu_seconds(processes)
    together = len(took) - callers
    rate = together / (last - began) if together > 0 else len(took) / passed
    return cell_of(took, rate, {name: after[name] - before[name] for name in before})


async def opened(
    a_second: float, seconds: float, work: Work, processes: Mapping[str, psutil.Process]
) -> Cell:
    """Begin so many calls a second, also while earlier ones wait: a queue is not hidden."""
    took: list[float] = []
    before, began = cpu_seconds(processes), time.perf_counter()

    async def call(turn: int) -> None:
        start = time.perf_counter()
        await work(turn)
        took.append(time.perf_counter() - start)

    async with asyncio.TaskGroup() as calls:
        for turn in range(max(1, int(a_second * seconds))):
            await asyncio.sleep(began + turn / a_second - time.perf_counter())
            calls.create_task(call(turn))
    passed, after = time.perf_counter() - began, cpu_seconds(processes)
    spent = {name: after[name] - before[name] for name in before}
    return cell_of(took, len(took) / passed, spent)


def cell_of(took: Sequence[float], rate: float, cpu: Mapping[str, float]) -> Cell:
    """What calls that took so long, so many a second, and CPU of so long make. In seconds."""
    took = sorted(took)
    return Cell(
        rate=rate,
        p50=1000 * took[len(took) // 2],
        p99=1000 * took[min(len(took) - 1, int(len(took) * 0.99))],
        calls=len(took),
        cpu={name: 1000 * spent / len(took) for name, spent in cpu.items()},
    )
