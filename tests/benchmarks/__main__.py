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
from typing import Any

import uvloop

from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.compiled.build import BuildError, build
from authbus_service.core.security.compiled.library import load
from authbus_service.core.security.passwords import Hasher
from tests.benchmarks.accounts import (
    BESIDE_A_SECOND,
    IN_FLIGHT,
    PASSWORD,
    log_ins,
    log_ins_alone,
    log_outs,
    log_outs_beside,
    registered,
    registrations,
)
from tests.benchmarks.bare import a_hash, verifies_a_second
from tests.benchmarks.cheap import CHEAP, a_crowd, cheap
from tests.benchmarks.figures import Found, figures
from tests.benchmarks.offline import checks_a_second
from tests.benchmarks.relaying import relayed
from tests.benchmarks.service import Running, Servers, a_service, servers

COST = Cost(memory_kib=19456, time=2, parallelism=1)
CELLS = ("bare", "log_in", "log_in_alone", "register", "log_out", "log_out_beside", *CHEAP)
_MIB = 1024 * 1024


async def measure(rounds: int, seconds: float, settings: dict[str, str]) -> Found:
    """All cells, interleaved, so that what else the machine does falls on each alike."""
    found: Found = {name: [] for name in (*CELLS, "offline", "relayed", "process")}
    async with servers() as place, _warm(place, seconds, settings) as running:
        crowd = await a_crowd(running, IN_FLIGHT, PASSWORD)
        for _ in range(rounds):
            for name, cell in (await _round(running, seconds)).items():
                found[name].append(cell)
            for name, cell in (await cheap(running, crowd, seconds / 4)).items():
                found[name].append(asdict(cell))
            found["offline"].append(asdict(await asyncio.to_thread(checks_a_second)))
        said = await relayed(running, place.stack.addresses.bootstrap_servers, seconds)
        found["relayed"].append(asdict(said))
        held = running.processes["service"].memory_info().rss / _MIB
        found["process"].append({"started": running.started, "mib": held})
    return found


async def _round(running: Running, seconds: float) -> dict[str, dict[str, Any]]:
    bare = await asyncio.to_thread(
        verifies_a_second, seconds, memory_kib=COST.memory_kib, passes=COST.time
    )
    many, sessions = await log_ins(running, IN_FLIGHT, seconds)
    alone, kept = await log_ins_alone(running, seconds)
    some = int(BESIDE_A_SECOND * seconds)
    beside = await log_outs_beside(running, [*kept, *sessions[:some]], seconds)
    return {
        "bare": {"rate": bare},
        "log_in": asdict(many),
        "log_in_alone": asdict(alone),
        "register": asdict(await registrations(running, seconds / 2)),
        "log_out": asdict(await log_outs(running, sessions[some:], seconds)),
        "log_out_beside": asdict(beside),
    }


@asynccontextmanager
async def _warm(
    place: Servers, seconds: float, settings: dict[str, str]
) -> AsyncGenerator[Running]:
    async with a_service(place, settings) as running:
        await registered(running)
        await log_ins(running, IN_FLIGHT, seconds / 2)
        yield running


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
    costs = {name: a_hash(hasher) for name, hasher in hashers.items()}
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
            f"{name}: {hashers[name].engine}": figures(cells, costs[name])
            for name, cells in found.items()
        }
    )
    if asked.json is not None:
        asked.json.write_text(json.dumps({"cells": found, "load": os.getloadavg()}, indent=1))


if __name__ == "__main__":
    main()
