"""`make scaling`: what processes on one machine do, and what clusters would; into a page.

Measures into deploy/scaling.json, computes from it what stands between the marks of
deploy/scaling.md. With `--page` nothing is measured.
"""

import argparse
import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

from authbus.topics import CREDENTIALS, SESSIONS
from authbus_service.core.security.passwords import Hasher
from tests.benchmarks import processes, sizing
from tests.benchmarks.__main__ import COST
from tests.benchmarks.sizing import Cost

FOLDER = Path(__file__).parents[2] / "deploy"
RESULTS, PAGE = FOLDER / "scaling.json", FOLDER / "scaling.md"
CLUSTERS = (10, 100, 1000)
# Cores are filled so far and no further.
FILLED = 2 / 3
# A working day: one log-in, a refresh every ten minutes, a log-out.
REFRESHES = 48
EVENTS = REFRESHES + 2
# What is taken for granted of others: three copies on Kafka, each as dear as the one measured; one
# primary of PostgreSQL with so many cores and so fast a disk.
COPIES = 3
PRIMARY_CORES = 32
WAL_MB = 250


@dataclass(frozen=True)
class Processes:
    """The same work for so many processes, at a hash of no cost. CPU in ms a command."""

    count: int
    commands: float
    handling: float
    saying: float
    alone: float
    events: float


@dataclass(frozen=True)
class Measured:
    """All that the page is computed from: CPU in ms, bytes, events a second."""

    processes: list[Processes]
    costs: dict[str, Cost]
    hash: float

    @property
    def day(self) -> Cost:
        """A log-in, its refreshes and its log-out."""
        first = self.costs["log-in"].and_times(REFRESHES, self.costs["refresh"])
        return first.and_times(1, self.costs["log-out"])

    @property
    def total(self) -> float:
        """CPU of a day in ms, of all but the caller."""
        cpu = self.day.cpu
        return cpu["service"] + COPIES * cpu["kafka"] + cpu["postgres"]

    @property
    def loop(self) -> float:
        """Of a day, what only one thread of a process can do: all but the hash."""
        return self.day.cpu["service"] - self.hash

    @property
    def limits(self) -> dict[str, float]:
        """Days begun a second that each single thing bears, filled like the rest."""
        cpu, wal = self.day.cpu, self.day.wal
        partitions = min(CREDENTIALS.partitions, SESSIONS.partitions)
        return {
            f"{partitions} partitions": FILLED * partitions * 1000 / self.loop,
            "one relay": FILLED * min(each.events for each in self.processes) / EVENTS,
            "one primary's cores": FILLED * PRIMARY_CORES * 1000 / cpu["postgres"],
            "one primary's log": FILLED * WAL_MB * 1e6 / wal,
        }


def tables(measured: Measured) -> dict[str, str]:
    """What stands between each pair of marks."""
    return {
        "processes": _processes(measured.processes),
        "costs": _costs(measured),
        "limits": _limits(measured),
        "clusters": _clusters(measured),
    }


def _table(head: str, *rows: str) -> str:
    line = f"| --- |{' ---: |' * (head.count('|') - 2)}"
    return "\n".join((head, line, *rows))


def _processes(found: list[Processes]) -> str:
    return _table(
        "| processes | commands/s | CPU a command, ms | saying an event, ms "
        "| serial share | events/s of the relay |",
        *(
            f"| {each.count} | {each.commands:.0f} | {each.handling:.2f} | {each.saying:.3f} "
            f"| {each.alone:.1%} | {each.events:,.0f} |"
            for each in found
        ),
    )


def _costs(measured: Measured) -> str:
    each = {**measured.costs, f"a log-in, {REFRESHES} refreshes, a log-out": measured.day}
    return _table(
        "| | service, ms | Kafka, one copy, ms | PostgreSQL, ms | bytes on Kafka | bytes of log |",
        *(
            f"| {name} | {cost.cpu['service']:.1f} | {cost.cpu['kafka']:.2f} "
            f"| {cost.cpu['postgres']:.2f} | {cost.kafka:,.0f} | {cost.wal:,.0f} |"
            for name, cost in each.items()
        ),
    )


def _limits(measured: Measured) -> str:
    cpu, wal = measured.day.cpu, measured.day.wal
    partitions = min(CREDENTIALS.partitions, SESSIONS.partitions)
    relay = min(each.events for each in measured.processes)
    how = (
        f"{FILLED:.2f} x {partitions} x 1,000 / ({cpu['service']:.1f} - {measured.hash:.1f}) ms",
        f"{FILLED:.2f} x {relay:,.0f} events/s / {EVENTS} events",
        f"{FILLED:.2f} x {PRIMARY_CORES} x 1,000 / {cpu['postgres']:.1f} ms",
        f"{FILLED:.2f} x {WAL_MB} MB/s / {wal / 1000:.0f} kB",
    )
    rows = zip(measured.limits.items(), how, strict=True)
    return _table(
        "| what is single | arithmetic | log-ins/s |",
        *(f"| {name} | {told} | {rate:,.0f} |" for (name, rate), told in rows),
    )


def _clusters(measured: Measured) -> str:
    return _table(
        "| cores | log-ins/s | service | Kafka | PostgreSQL | processes, one a core "
        "| events/s | log, MB/s | shards x partitions that bear it "
        "| what does not bear it, first to break first |",
        *(_cluster(measured, cores) for cores in CLUSTERS),
    )


def _cluster(measured: Measured, cores: int) -> str:
    rate = FILLED * cores * 1000 / measured.total
    parts = {"service": 1, "kafka": COPIES, "postgres": 1}
    of = [rate * measured.day.cpu[name] * times / 1000 / FILLED for name, times in parts.items()]
    broken = sorted((limit, name) for name, limit in measured.limits.items() if limit < rate)
    told = ", ".join(f"{name} ({rate / limit:.1f} x)" for limit, name in broken) or "all bear it"
    workers = math.ceil(of[0])
    single = min(limit for name, limit in measured.limits.items() if "partitions" not in name)
    shards = math.ceil(rate / single)
    return (
        f"| {cores:,} | {rate:,.0f} | {of[0]:.0f} | {of[1]:.0f} | {of[2]:.0f} "
        f"| {workers:,} | {rate * EVENTS:,.0f} | {rate * measured.day.wal / 1e6:,.0f} "
        f"| {shards} x {math.ceil(workers / shards)} | {told} |"
    )


def page(text: str, measured: Measured) -> str:
    """The page with its tables computed anew."""
    for name, table in tables(measured).items():
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        text, count = re.subn(f"{begin}.*?{end}", f"{begin}\n{table}\n{end}", text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"the page has {count} places for {name}")
    return text


def stored() -> Measured:
    """What was measured last."""
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    return Measured(
        [Processes(**each) for each in found["processes"]],
        {name: Cost(**cost) for name, cost in found["costs"].items()},
        found["hash"],
    )


def _measure(seconds: float) -> Measured:
    shared = uvloop.run(processes.measure(seconds))
    costs = uvloop.run(sizing.measure(seconds))
    return Measured(
        [
            Processes(count, *(round(each, 4) for each in found.told))
            for count, found in shared.items()
        ],
        {name: cost.rounded() for name, cost in costs.items()},
        round(1000 / Hasher(COST).rate, 2),
    )


def main() -> None:
    """Measure unless told not to, and write the page."""
    parser = argparse.ArgumentParser(prog="make scaling")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--page", action="store_true", help="from what was measured last")
    asked = parser.parse_args()
    if not asked.page:
        measured = _measure(asked.seconds)
        RESULTS.write_text(json.dumps(asdict(measured), indent=1) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page(text, stored()), encoding="utf-8")
    print(f"{PAGE.name} is written")


if __name__ == "__main__":
    main()
