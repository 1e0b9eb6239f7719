"""`make bench-peers`: fastapi-users and the service in turns, on the same cores and PostgreSQL.

The one that is not asked idles meanwhile; what that costs is told.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from tests.benchmarks.__main__ import COST
from tests.benchmarks.accounts import (
    BESIDE,
    BESIDE_A_SECOND,
    IN_FLIGHT,
    Served,
    log_ins,
    log_ins_alone,
    log_outs,
    log_outs_beside,
    registered,
)
from tests.benchmarks.bare import verifies_a_second
from tests.benchmarks.load import Cell, cpu_seconds
from tests.benchmarks.peers.server import fastapi_users
from tests.benchmarks.service import a_service, servers

SIDES = ("authbus", "fastapi-users")
_FEW = 8


@dataclass(frozen=True)
class Found:
    """Rounds of each side; how much of a core each took while it only waited."""

    bare: list[float]
    rounds: dict[str, list[dict[str, Cell]]]
    idle: dict[str, list[float]]


async def measure(rounds: int, seconds: float, hashes: str) -> Found:
    """The bare hash before each round; in every other round the peer comes first."""
    found = Found([], {name: [] for name in SIDES}, {name: [] for name in SIDES})
    async with (
        servers() as place,
        a_service(place, {"AUTHBUS_HASH": hashes}) as ours,
        fastapi_users(place) as peer,
    ):
        both: dict[str, Served[Any]] = dict(zip(SIDES, (ours, peer), strict=True))
        for each in both.values():
            await registered(each)
            await log_ins(each, IN_FLIGHT, seconds / 2)
        for number in range(rounds):
            bare = await asyncio.to_thread(
                verifies_a_second, seconds, memory_kib=COST.memory_kib, passes=COST.time
            )
            found.bare.append(bare)
            for name in SIDES if number % 2 == 0 else SIDES[::-1]:
                (other,) = set(SIDES) - {name}
                before, began = _alone(both[other]), time.perf_counter()
                found.rounds[name].append(await _round(both[name], seconds))
                spent = _alone(both[other]) - before
                found.idle[other].append(spent / (time.perf_counter() - began))
    return found


def _alone(side: Served[Any]) -> float:
    """CPU of what this side does not share with the other."""
    shared = ("postgres", "caller")
    return sum(spent for name, spent in cpu_seconds(side.processes).items() if name not in shared)


async def _round(side: Served[Any], seconds: float) -> dict[str, Cell]:
    many, sessions = await log_ins(side, IN_FLIGHT, seconds)
    few, some = await log_ins(side, _FEW, seconds)
    alone, kept = await log_ins_alone(side, seconds)
    beside = int(BESIDE_A_SECOND * seconds)
    return {
        "log_in": many,
        "log_in_few": few,
        "log_in_alone": alone,
        "log_out": await log_outs(side, sessions[beside:], seconds),
        "log_out_few": await log_outs(side, some, seconds, callers=_FEW),
        "log_out_beside": await log_outs_beside(side, [*kept, *sessions[:beside]], seconds),
    }


def lines(found: Found, name: str) -> dict[str, str]:
    """What the cells of one side say, medians of the rounds."""
    rounds = found.rounds[name]

    def of(cell: str, says: Callable[[Cell], float]) -> float:
        return median(says(each[cell]) for each in rounds)

    def rate(cell: str) -> str:
        return f"{of(cell, lambda each: each.rate):.0f}/s"

    def share(cell: str) -> str:
        pairs = zip(rounds, found.bare, strict=True)
        return f"{rate(cell)} = {median(each[cell].rate / bare for each, bare in pairs):.2f} bare"

    def took(cell: str) -> str:
        p50, p99 = of(cell, lambda each: each.p50), of(cell, lambda each: each.p99)
        return f"{p50:.1f}, {p99:.1f} ms"

    return {
        f"log-ins, {IN_FLIGHT} in flight": share("log_in"),
        f"log-ins, {_FEW} in flight": share("log_in_few"),
        f"their p50, p99, {_FEW} in flight": took("log_in_few"),
        "a log-in alone, p50, p99": took("log_in_alone"),
        f"log-outs, {IN_FLIGHT} in flight": rate("log_out"),
        f"log-outs, {_FEW} in flight": rate("log_out_few"),
        f"a log-out beside {BESIDE} who log in, p50, p99": took("log_out_beside"),
        "of a core while the other is asked": f"{median(found.idle[name]):.2f}",
    }


def main() -> None:
    """Measure, print the table, and write every cell to a file when asked."""
    parser = argparse.ArgumentParser(prog="make bench-peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--hash", choices=("wheels", "compiled"), default="wheels")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = uvloop.run(measure(asked.rounds, asked.seconds, asked.hash))
    print(
        f"bare: {median(found.bare):.0f} verifies/s of the argon2-cffi wheel on all cores; load "
        f"{os.getloadavg()[0]:.1f}; medians of {asked.rounds} rounds of {asked.seconds:g} s\n"
    )
    tables = {name: lines(found, name) for name in SIDES}
    print(f"| | {' | '.join(SIDES)} |\n| --- | --- | --- |")
    for told in tables["authbus"]:
        print(f"| {told} | {' | '.join(tables[name][told] for name in SIDES)} |")
    if asked.json is not None:
        asked.json.write_text(json.dumps(asdict(found), indent=1))


if __name__ == "__main__":
    main()
