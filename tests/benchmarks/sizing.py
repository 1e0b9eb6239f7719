"""`make sizing`: what a log-in, a refresh and a log-out cost. What so many need: scaling.py."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from authbus.client.results import Session
from tests.benchmarks.cheap import Crowd, a_crowd
from tests.benchmarks.load import Cell, closed
from tests.benchmarks.service import Running, a_service, servers

PASSWORD = "correct horse battery"
CALLERS = 32
# So many that nobody has too many sessions.
USERS = 256
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """What one command costs: CPU in ms by process, bytes on Kafka, bytes of write-ahead log."""

    cpu: dict[str, float]
    kafka: float
    wal: float

    def and_times(self, count: float, other: "Cost") -> "Cost":
        """This and so many of the other."""
        cpu = {name: ms + count * other.cpu[name] for name, ms in self.cpu.items()}
        return Cost(cpu, self.kafka + count * other.kafka, self.wal + count * other.wal)

    def rounded(self) -> "Cost":
        """As exact as it is worth keeping."""
        cpu = {name: round(ms, 3) for name, ms in self.cpu.items()}
        return Cost(cpu, round(self.kafka), round(self.wal))


@dataclass(frozen=True)
class Meter:
    """Looks at the disks before and after."""

    running: Running
    logs: Path

    async def of(self, seconds: float, work: Callable[[int], Awaitable[Any]]) -> Cost:
        """What each of these calls costs."""

        async def call(turn: int) -> None:
            await work(turn)

        kafka, wal = self._kafka(), await self._wal()
        cell: Cell = await closed(CALLERS, seconds, call, self.running.processes)
        await asyncio.sleep(1)  # until all is said
        kafka, wal = self._kafka() - kafka, await self._wal() - wal
        return Cost(cell.cpu, kafka / cell.calls, wal / cell.calls)

    def _kafka(self) -> int:
        """Of what was written; indexes are made ahead."""
        return sum(each.stat().st_size for each in self.logs.rglob("*.log"))

    async def _wal(self) -> int:
        db = await asyncpg.connect(self.running.database_url.replace("+asyncpg", ""))
        found = await db.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
        await db.close()
        return int(found)


async def measure(seconds: float) -> tuple[dict[str, Cost], float]:
    """The cost of each command, and what the service holds behind them in MiB."""
    async with servers() as place, a_service(place, {}) as running:
        crowd = await a_crowd(running, CALLERS, PASSWORD)
        meter = Meter(running, place.stack.kafka_log_dir)
        costs = await _costs(meter, running, crowd, seconds)
        return costs, running.processes["service"].memory_info().rss / _MIB


async def _costs(meter: Meter, running: Running, crowd: Crowd, seconds: float) -> dict[str, Cost]:
    started: list[Session] = []
    emails = [f"user{number}@example.com" for number in range(USERS)]
    await asyncio.gather(*(running.auth.register(email, PASSWORD) for email in emails))

    async def log_in(turn: int) -> None:
        started.append(await running.auth.log_in(emails[turn % USERS], PASSWORD))

    async def refresh(turn: int) -> None:
        at = turn % CALLERS
        crowd.sessions[at] = await running.auth.refresh(crowd.sessions[at])

    async def log_out(_: int) -> None:
        if started:
            await running.auth.log_out(started.pop())

    await meter.of(seconds / 2, log_in)  # until Java is warm
    return {
        "log-in": await meter.of(seconds, log_in),
        "refresh": await meter.of(seconds / 4, refresh),
        "log-out": await meter.of(len(started) / 2000, log_out),
    }


def _print(costs: dict[str, Cost], memory: float) -> None:
    print("| one | service, ms CPU | Kafka | PostgreSQL | bytes on Kafka | bytes of WAL |")
    print("| --- |" + " ---: |" * 5)
    for name, cost in costs.items():
        service, kafka, postgres = (cost.cpu[of] for of in ("service", "kafka", "postgres"))
        told = f"{service:.1f} | {kafka:.2f} | {postgres:.2f} | {cost.kafka:,.0f} | {cost.wal:,.0f}"
        print(f"| {name} | {told} |")
    print(f"\nA process holds {memory:.0f} MiB while no hash runs.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make sizing")
    parser.add_argument("--seconds", type=float, default=20.0)
    _print(*uvloop.run(measure(parser.parse_args().seconds)))


if __name__ == "__main__":
    main()
