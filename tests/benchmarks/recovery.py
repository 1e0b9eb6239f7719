"""`make bench-recovery`: how fast `authbus recover` brings a database back, in what memory.

The history is made in bulk. What is measured is the command itself, a process of its own, on a
database that knows nothing but its keys.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil
import uvloop

from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.database import connect
from authbus_service.core.migrations import migrate
from authbus_service.core.security.masters import Masters
from authbus_service.startup.keys import open_keyring
from authbus_service.startup.topics import require_topics
from tests.benchmarks.history import History, Person
from tests.benchmarks.service import Servers, servers
from tests.rig.databases import empty_database


@dataclass(frozen=True)
class Measured:
    """One recovery. CPU in seconds, memory in MiB at its peak."""

    commands: int
    seconds: float
    cpu: Mapping[str, float]
    peak: float
    report: Mapping[str, Any]


async def measure(on: Servers, commands: int, users: int, rate: float) -> Measured:
    """Make a history in a namespace of its own and recover it."""
    key, namespace = os.urandom(32), f"bench{commands}"
    masters, kafka = Masters([key]), on.stack.addresses.bootstrap_servers
    await require_topics(kafka, {}, namespace=namespace, clients=EMBEDDED_CLIENTS, how="apply")
    url = await empty_database(on.stack.addresses)
    database = connect(url)
    await migrate(database)
    ring = await open_keyring(database, masters)
    await database.close()
    jwk = next(each.jwk for each in ring.public_records() if each.use == "enc")
    people = [Person(number) for number in range(users)]
    began = time.perf_counter()
    await History(kafka, namespace, masters, jwk, commands, people, rate).write()
    print(f"{commands} commands made in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    clients = on.folder / "clients.toml"
    clients.write_text('[[client]]\nid = "web"\n')
    settings = {
        "AUTHBUS_CLIENTS": str(clients),
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": url,
        "AUTHBUS_NAMESPACE": namespace,
        "AUTHBUS_MASTER_KEY": key.hex(),
        "AUTHBUS_ARGON2_MEMORY_KIB": "64",
        "AUTHBUS_ARGON2_TIME": "1",
    }
    return await asyncio.to_thread(_recovered, on, commands, settings)


def _recovered(on: Servers, commands: int, settings: Mapping[str, str]) -> Measured:
    postgres = psutil.Process(on.stack.postgres_process.pid)
    kafka = psutil.Process(on.stack.kafka_process.pid)
    before = _spent(postgres), _spent(kafka)
    began = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "authbus_service", "recover"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    out = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, out
    cpu = {
        "recover": used.ru_utime + used.ru_stime,
        "postgres": _spent(postgres) - before[0],
        "kafka": _spent(kafka) - before[1],
    }
    return Measured(commands, seconds, cpu, used.ru_maxrss / 1024, json.loads(out))


def _spent(process: psutil.Process) -> float:
    """CPU seconds so far, of those that have ended too."""
    times = process.cpu_times()
    alive = (each.cpu_times() for each in process.children(recursive=True))
    own = times.user + times.system + times.children_user + times.children_system
    return own + sum(each.user + each.system for each in alive)


async def run(sizes: list[int], users: int, rate: float) -> list[Measured]:
    """Each size on the same servers."""
    async with servers() as on:
        return [await measure(on, size, users, rate) for size in sizes]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-recovery")
    parser.add_argument("--commands", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--rate", type=float, default=115, help="commands a second, when they came")
    asked = parser.parse_args()
    print("| commands | seconds | a second | CPU seconds | peak |\n| --- | --- | --- | --- | --- |")
    for each in uvloop.run(run(asked.commands, asked.users, asked.rate)):
        assert sum(each.report["events_applied"].values()) == each.commands, each.report
        spent = ", ".join(f"{name} {seconds:.1f}" for name, seconds in each.cpu.items())
        print(
            f"| {each.commands:,} | {each.seconds:.1f} | {each.commands / each.seconds:,.0f} "
            f"| {spent} | {each.peak:.0f} MiB |"
        )


if __name__ == "__main__":
    main()
