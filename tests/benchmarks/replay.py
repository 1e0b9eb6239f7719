"""`make bench-replay`: how fast commands are replayed, in the command and in the service.

The history is made in bulk: records of commands that the inbox knows. Those of an hour ago are
counted, those that are a few minutes old are sent again, and answered. What is measured is `authbus
replay` as a process of its own, and the time until the service is past the last copy.
"""

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uvloop
from aiokafka import AIOKafkaProducer

from authbus.envelope import own_headers
from authbus.events import SessionRefreshed
from authbus.topics import DEAD_LETTERS, EVENTS, SESSIONS
from authbus_service.cluster import Admin
from authbus_service.cluster.admin import NewlyWanted
from authbus_service.core.database import Database, connect
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters
from authbus_service.inbox import fence
from authbus_service.startup.keys import open_keyring
from tests.benchmarks.handled import LogOuts, make
from tests.benchmarks.service import Running, a_service, servers
from tests.rig.dumps import ends_of

NAMESPACE = "bench"
HEAD = "| what | records | the command | until handled | CPU, us a record |"
_AT_ONCE = 2_000
# An answer is sealed.
_FEWER = 5


@dataclass(frozen=True)
class Measured:
    """So many records in so many seconds: of the command, and until all was handled.

    `cpu` is in microseconds a record.
    """

    what: str
    records: int
    command: float
    handled: float
    cpu: Mapping[str, float]

    def __str__(self) -> str:
        rates = [self.records / each for each in (self.command, self.handled)]
        return (
            f"| {self.what} | {self.records:,} | {self.command:.1f} s = {rates[0]:,.0f}/s "
            f"| {self.handled:.1f} s = {rates[1]:,.0f}/s "
            f"| {', '.join(f'{name} {spent:.0f}' for name, spent in self.cpu.items())} |"
        )


async def make_events(kafka: str, count: int) -> None:
    """So many log-ins, of a thousand users."""
    users = [new_id() for _ in range(1_000)]
    async with AIOKafkaProducer(bootstrap_servers=kafka, max_batch_size=262_144) as producer:
        for begin in range(0, count, _AT_ONCE):
            sent = [
                await producer.send(EVENTS.name(NAMESPACE), value, key=key, headers=headers)
                for number in range(begin, min(begin + _AT_ONCE, count))
                for key, value, headers in (_event(users[number % 1_000], number),)
            ]
            await asyncio.gather(*sent)


def _event(user_id: UUID, number: int) -> tuple[bytes, bytes, Any]:
    event = SessionRefreshed(
        user_id=user_id,
        sequence=number + 1,
        actor=f"user:{user_id}",
        causation_id=new_id(),
        session_id=user_id,
        lapses_at=datetime.now(UTC),
    )
    headers = own_headers(
        event.wire_type(),
        id=new_id(),
        time=datetime.now(UTC),
        subject=str(user_id),
        cause=event.causation_id,
    )
    return str(user_id).encode(), event.to_bytes(), headers


async def copy_events(kafka: str, running: Running) -> Measured:
    """Everything onto a new topic."""
    to = f"copied.{NAMESPACE}"
    async with Admin.connect(kafka, {}) as admin:
        await admin.create([NewlyWanted(to, EVENTS.partitions, 1, {})])
    began, before = time.perf_counter(), _spent(running)
    report = await _authbus(kafka, running, "events", "--from", "0", "--to-topic", to)
    seconds = time.perf_counter() - began
    count = report["copied"]
    return Measured("events copied", count, seconds, seconds, _since(before, running, count))


async def replay_commands(
    kafka: str, running: Running, database: Database, what: str, since: datetime
) -> Measured:
    """Everything that came to the topic since then."""
    began, before, begin = time.perf_counter(), _spent(running), since.isoformat()
    async with past_the_end(kafka, database) as handled:
        summary = await _authbus(kafka, running, "commands", SESSIONS.suffix, "--from", begin)
        command = time.perf_counter() - began
        await handled()
    ended = time.perf_counter() - began
    count = summary["selected"]
    assert summary["already_handled"] == count, summary
    # A letter would be quicker than an answer.
    assert not any((await ends_of(kafka, DEAD_LETTERS, NAMESPACE)).values())
    spent = _since(before, running, count)
    return Measured(what, count, command, ended, spent)


def _spent(running: Running) -> dict[str, float]:
    """CPU seconds so far, also of the commands that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = {"command": ended.ru_utime + ended.ru_stime}
    for name in ("service", "kafka", "postgres"):
        process = running.processes[name]
        alive = (process, *process.children(recursive=True))
        spent[name] = sum(sum(each.cpu_times()[:4]) for each in alive if each.is_running())
    return spent


def _since(before: Mapping[str, float], running: Running, records: int) -> dict[str, float]:
    now = _spent(running)
    return {name: (now[name] - spent) / records * 1e6 for name, spent in before.items()}


@asynccontextmanager
async def past_the_end(kafka: str, database: Database) -> AsyncGenerator[Any]:
    """Gives what waits until the fence stands at the end of what lies on the topic then."""

    async def wait() -> None:
        ends = await ends_of(kafka, SESSIONS, NAMESPACE)
        while True:
            async with database.reading() as db:
                below = await fence.read(db)
            if all(below.get((SESSIONS.suffix, at), 0) >= end for at, end in ends.items()):
                return
            await asyncio.sleep(0.05)

    yield wait


async def _authbus(kafka: str, running: Running, *arguments: str) -> dict[str, Any]:
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": running.database_url,
        "AUTHBUS_NAMESPACE": NAMESPACE,
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "authbus_service", "replay", *arguments),
        stdout=PIPE,
        env={**os.environ, **settings},
    )
    out, _ = await child.communicate()
    assert child.returncode == 0, out
    return json.loads(out)


async def run(commands: int, events: int) -> list[Measured]:
    key, measured = os.urandom(32), list[Measured]()
    settings, masters = {"AUTHBUS_MASTER_KEY": key.hex()}, Masters([key])
    async with servers() as on, a_service(on, settings, name=NAMESPACE) as running:
        kafka, database = on.stack.addresses.bootstrap_servers, connect(running.database_url)
        ring = await open_keyring(database, masters)
        jwk = next(each.jwk for each in ring.public_records() if each.use == "enc")
        log_outs = LogOuts.of(NAMESPACE, masters, jwk)
        for what, one, count in (
            ("commands that were handled", log_outs.old, commands),
            ("commands that are answered again", log_outs.fresh, commands // _FEWER),
        ):
            since = datetime.now(UTC)
            await make(kafka, database, NAMESPACE, one, count)
            async with past_the_end(kafka, database) as handled:
                await handled()
            measured.append(await replay_commands(kafka, running, database, what, since))
        await make_events(kafka, events)
        measured.append(await copy_events(kafka, running))
        await database.close()
    return measured


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="make bench-replay")
    parser.add_argument("--commands", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=100_000)
    asked = parser.parse_args()
    print(f"{HEAD}\n| --- | --- | --- | --- | --- |")
    for each in uvloop.run(run(asked.commands, asked.events)):
        print(each)


if __name__ == "__main__":
    main()
