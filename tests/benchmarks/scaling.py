"""`make scaling`: what processes on one machine do, and what clusters would; into a page.

Measures into deploy/scaling.json, computes from it what stands between the marks of
deploy/scaling.md. With `--page` nothing is measured.
"""

import argparse
import json
import re
from dataclasses import asdict
from pathlib import Path

import uvloop

from authbus.topics import CREDENTIALS, SESSIONS
from authbus_service.core.security.passwords import Hasher
from tests.benchmarks import processes, sizing
from tests.benchmarks.__main__ import COST
from tests.benchmarks.needs import (
    COPIES,
    EVENTS,
    FILLED,
    PRIMARY_CORES,
    REFRESHES,
    WAL_MB,
    Measured,
    Processes,
)
from tests.benchmarks.sizing import Cost

FOLDER = Path(__file__).parents[2] / "deploy"
RESULTS, PAGE = FOLDER / "scaling.json", FOLDER / "scaling.md"
CLUSTERS = (10, 100, 1000)
LOG_INS = (10, 100, 1000)
_DAY = 86_400


def tables(measured: Measured) -> dict[str, str]:
    """What stands between each pair of marks."""
    return {
        "processes": _processes(measured.processes),
        "costs": _costs(measured),
        "sizes": _sizes(measured),
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


def _sizes(measured: Measured) -> str:
    day, mib = measured.day, f"{measured.memory:.0f} + {COST.memory_kib / 1024:.0f} MiB"
    table = _table(
        "| log-ins/s | cores: service | Kafka | PostgreSQL | processes, one a core "
        "| their memory, GiB | shards x partitions | PostgreSQL's log, MB/s "
        "| Kafka's disks, GB a day | PostgreSQL's log, GB a day |",
        *(_size(measured, rate) for rate in LOG_INS),
    )
    return (
        f"{table}\n\nFor each log-in a second: cores as ms above / 1,000 / {FILLED:.2f}, "
        f"{COPIES} x {day.kafka / 1000:.0f} kB on Kafka's disks, {day.wal / 1000:.0f} kB of log. "
        f"Memory: {mib} a process, which runs a hash at a time."
    )


def _size(measured: Measured, rate: float) -> str:
    need, kafka = measured.need(rate), rate * COPIES * measured.day.kafka * _DAY
    log = rate * measured.day.wal
    cores = " | ".join(f"{each:,.1f}" for each in need.cores)
    return (
        f"| {rate:,} | {cores} | {need.processes:,} | {need.memory / 1024:,.1f} "
        f"| {need.shards} x {need.partitions} | {log / 1e6:,.1f} "
        f"| {kafka / 1e9:,.0f} | {log * _DAY / 1e9:,.0f} |"
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
    need, limits = measured.need(rate), measured.limits
    broken = sorted((limit, name) for name, limit in limits.items() if limit < rate)
    told = ", ".join(f"{name} ({rate / limit:.1f} x)" for limit, name in broken) or "all bear it"
    of = " | ".join(f"{each:.0f}" for each in need.cores)
    return (
        f"| {cores:,} | {rate:,.0f} | {of} "
        f"| {need.processes:,} | {rate * EVENTS:,.0f} | {rate * measured.day.wal / 1e6:,.0f} "
        f"| {need.shards} x {need.partitions} | {told} |"
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
        found["memory"],
    )


def _measure(seconds: float) -> Measured:
    shared = uvloop.run(processes.measure(seconds))
    costs, memory = uvloop.run(sizing.measure(seconds))
    return Measured(
        [
            Processes(count, *(round(each, 4) for each in found.told))
            for count, found in shared.items()
        ],
        {name: cost.rounded() for name, cost in costs.items()},
        round(1000 / Hasher(COST).rate, 2),
        round(memory),
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
