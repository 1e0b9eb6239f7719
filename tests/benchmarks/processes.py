"""`make bench-processes`: the same work for one, two and three processes, at a hash of no cost.

More processes than cores do not make it faster here. They show what another process costs, and
what one of them does alone: it says the events of all.
"""

import argparse
from dataclasses import dataclass

import uvloop

from authbus.client.results import Session
from tests.benchmarks.accounts import IN_FLIGHT, PASSWORD, address, registered
from tests.benchmarks.load import Cell, closed, cpu_seconds
from tests.benchmarks.relaying import BACKLOG, relayed
from tests.benchmarks.service import Running, Servers, a_service, servers

CHEAP_HASH = {"AUTHBUS_ARGON2_MEMORY_KIB": "8", "AUTHBUS_ARGON2_TIME": "1"}
_COUNTS = (1, 2, 3)
_COMMANDS = 3  # each turn is a log-in, a refresh and a log-out
_EVENTS = 3
_WAITING_SECONDS = 1.0


@dataclass(frozen=True)
class Shared:
    """A stretch of turns, what it costs the one that leads to say an event, in ms, and how many.

    `events` are said a second while there are always more.
    """

    cell: Cell
    saying: float
    events: float

    @property
    def told(self) -> tuple[float, ...]:
        """Commands a second, CPU of one and of saying an event, the serial share, events."""
        return (
            self.cell.rate * _COMMANDS,
            self.handling,
            self.saying,
            self.alone,
            self.events,
        )

    @property
    def handling(self) -> float:
        """CPU of all processes of the service for a command, in ms."""
        return self.of("service") / _COMMANDS

    @property
    def alone(self) -> float:
        """Which part of it one process does for all."""
        return self.saying * _EVENTS / _COMMANDS / self.handling

    def of(self, kind: str) -> float:
        return sum(ms for name, ms in self.cell.cpu.items() if name.startswith(kind))


async def shared(place: Servers, count: int, seconds: float) -> Shared:
    """Let so many processes share the work."""
    name = f"shared{count}"
    async with a_service(place, CHEAP_HASH, name=name, processes=count) as running:
        await registered(running)
        await _turns(running, seconds / 2)
        cell = await _turns(running, seconds)
        saying, events = await _saying(running, place.stack.addresses.bootstrap_servers, name)
        return Shared(cell, saying, events)


async def _turns(running: Running, seconds: float) -> Cell:
    async def work(turn: int) -> None:
        session: Session = await running.auth.log_in(address(turn), PASSWORD)
        await running.auth.log_out(await running.auth.refresh(session))

    return await closed(IN_FLIGHT, seconds, work, running.processes)


async def _saying(running: Running, bootstrap_servers: str, namespace: str) -> tuple[float, float]:
    before = cpu_seconds(running.processes)
    said = await relayed(running, bootstrap_servers, _WAITING_SECONDS, namespace=namespace)
    after = cpu_seconds(running.processes)
    spent = sum(after[name] - before[name] for name in after if name.startswith("service"))
    return 1000 * spent / BACKLOG, said.rate


async def measure(seconds: float) -> dict[int, Shared]:
    """One count after the other, on the same servers."""
    async with servers() as place:
        return {count: await shared(place, count, seconds) for count in _COUNTS}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-processes")
    parser.add_argument("--seconds", type=float, default=10.0)
    found = uvloop.run(measure(parser.parse_args().seconds))
    print(
        "| processes | commands/s | CPU a command, ms: service | Kafka | PostgreSQL | caller "
        "| saying an event, ms | done by one alone |\n| --- |" + " ---: |" * 7
    )
    for count, each in found.items():
        beside = " | ".join(
            f"{each.of(kind) / _COMMANDS:.2f}" for kind in ("kafka", "postgres", "caller")
        )
        print(
            f"| {count} | {each.cell.rate * _COMMANDS:.0f} | {each.handling:.2f} | {beside} "
            f"| {each.saying:.3f} | {each.alone:.0%} |"
        )


if __name__ == "__main__":
    main()
