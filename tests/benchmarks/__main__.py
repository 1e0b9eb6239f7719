"""`make bench`: log-ins and cheap commands a second through Kafka, beside the bare hash.

Once with the wheels' hash, and once with the compiled one where there is a C compiler.
"""

import argparse
import asyncio
import json
import os
import platform
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median

import uvloop

from authbus.client.results import Session
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.compiled.build import BuildError, build
from authbus_service.core.security.compiled.library import load
from authbus_service.core.security.passwords import Hasher
from tests.benchmarks.bare import verifies_a_second
from tests.benchmarks.cheap import CHEAP, a_crowd, cheap
from tests.benchmarks.load import Cell, closed
from tests.benchmarks.service import Running, a_service, servers

PASSWORD = "correct horse battery"
USERS = 64
IN_FLIGHT = 32
COST = Cost(memory_kib=19456, time=2, parallelism=1)


async def _registered(running: Running) -> list[str]:
    emails = [f"user{number}@example.com" for number in range(USERS)]
    await asyncio.gather(*(running.auth.register(email, PASSWORD) for email in emails))
    return emails


async def _log_ins(
    running: Running, emails: list[str], callers: int, seconds: float
) -> tuple[Cell, list[Session]]:
    sessions: list[Session] = []

    async def work(turn: int) -> None:
        sessions.append(await running.auth.log_in(emails[turn % USERS], PASSWORD))

    return await closed(callers, seconds, work, running.processes), sessions


async def _log_outs(running: Running, sessions: list[Session], seconds: float) -> Cell:
    left = list(sessions)

    async def work(_: int) -> None:
        if left:
            await running.auth.log_out(left.pop())

    return await closed(IN_FLIGHT, min(seconds, len(left) / 2000), work, running.processes)


async def measure(
    rounds: int, seconds: float, settings: dict[str, str]
) -> dict[str, list[dict[str, object]]]:
    """All cells, interleaved, so that what else the machine does falls on each alike."""
    found: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("bare", "log_in", "log_in_alone", "log_out", *CHEAP)
    }
    async with _warm(seconds, settings) as (running, emails):
        crowd = await a_crowd(running, IN_FLIGHT, PASSWORD)
        for _ in range(rounds):
            bare = await asyncio.to_thread(
                verifies_a_second, seconds, memory_kib=COST.memory_kib, passes=COST.time
            )
            found["bare"].append({"rate": bare})
            many, sessions = await _log_ins(running, emails, IN_FLIGHT, seconds)
            alone, _ = await _log_ins(running, emails, 1, seconds / 2)
            found["log_in"].append(asdict(many))
            found["log_in_alone"].append(asdict(alone))
            found["log_out"].append(asdict(await _log_outs(running, sessions, seconds)))
            for name, cell in (await cheap(running, crowd, seconds / 4)).items():
                found[name].append(asdict(cell))
    return found


@asynccontextmanager
async def _warm(
    seconds: float, settings: dict[str, str]
) -> AsyncGenerator[tuple[Running, list[str]]]:
    async with servers() as place, a_service(place, settings) as running:
        emails = await _registered(running)
        await _log_ins(running, emails, IN_FLIGHT, seconds / 2)
        yield running, emails


def _median(cells: list[dict[str, object]], name: str) -> float:
    return median(float(str(cell[name])) for cell in cells)


def _figures(found: dict[str, list[dict[str, object]]], hasher: Hasher) -> dict[str, str]:
    bare, rate = _median(found["bare"], "rate"), _median(found["log_in"], "rate")
    ratio = median(
        float(str(one["rate"])) / float(str(limit["rate"]))
        for one, limit in zip(found["log_in"], found["bare"], strict=True)
    )
    alone = _median(found["log_in_alone"], "p50")
    return {
        "argon2-cffi wheel alone, all cores": f"{bare:.0f} verifies/s",
        f"log-ins, {IN_FLIGHT} in flight": f"{rate:.0f}/s = {ratio:.2f} of the above",
        "their p50": f"{_median(found['log_in'], 'p50'):.0f} ms",
        "their p99": f"{_median(found['log_in'], 'p99'):.0f} ms",
        "a log-in alone, p50": f"{alone:.1f} ms = {alone - 1000 / hasher.rate:.1f} above its hash",
        f"log-outs, {IN_FLIGHT} in flight": f"{_median(found['log_out'], 'rate'):.0f}/s",
        **{
            f"{told}, {IN_FLIGHT} in flight": f"{_median(found[name], 'rate'):.0f}/s"
            for name, told in CHEAP.items()
        },
        "CPU a log-in, ms": _spent(found["log_in"], 1),
        "CPU a log-out, ms": _spent(found["log_out"], 2),
        "CPU a refresh, ms": _spent(found["refresh"], 2),
    }


def _spent(cells: list[dict[str, object]], digits: int) -> str:
    spent = cells[-1]["cpu"]
    assert isinstance(spent, dict)
    return ", ".join(f"{name} {ms:.{digits}f}" for name, ms in spent.items())


def _hashers() -> dict[str, Hasher]:
    """Each value of AUTHBUS_HASH that this machine has an engine for."""
    hashers = {"wheels": Hasher(COST)}
    try:
        if load() is None:
            build()
    except BuildError as error:
        print(f"without a compiled hash: {error}\n")
    else:
        hashers["compiled"] = Hasher(COST, load())
    return hashers


def _print(tables: dict[str, dict[str, str]]) -> None:
    columns = list(tables.values())
    print(f"| | {' | '.join(tables)} |\n| --- |{' --- |' * len(columns)}")
    for name in columns[0]:
        print(f"| {name} | {' | '.join(column[name] for column in columns)} |")


def main() -> None:
    """Measure, print the table, and write every cell to a file when asked."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    hashers = _hashers()
    found = {
        name: uvloop.run(measure(asked.rounds, asked.seconds, {"AUTHBUS_HASH": name}))
        for name in hashers
    }
    cores = len(os.sched_getaffinity(0))
    huge = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    pages = huge.read_text().partition("[")[2].partition("]")[0] if huge.exists() else "none"
    print(
        f"{platform.machine()}, {cores} cores, CPython {platform.python_version()}, load "
        f"{os.getloadavg()[0]:.1f}, huge pages: {pages}, medians of {asked.rounds} rounds of "
        f"{asked.seconds:.0f} s\n"
    )
    _print(
        {
            f"{name}: {hashers[name].engine}": _figures(cells, hashers[name])
            for name, cells in found.items()
        }
    )
    if asked.json is not None:
        asked.json.write_text(json.dumps({"cells": found, "load": os.getloadavg()}, indent=1))


if __name__ == "__main__":
    main()
