"""`make bench-replay`: how fast commands are replayed, in the command and in the service.

The history is made in bulk: records of commands that the inbox knows. What is measured is
`authbus replay` as a process of its own, and the time until the service is past the last copy.
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
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import uvloop
from aiokafka import AIOKafkaProducer

from authbus import LoggedOut, LogOut
from authbus.envelope import SEALED_TYPE, cloud_event, own_headers, stamp
from authbus.events import SessionRefreshed
from authbus.topics import EVENTS, SESSIONS
from authbus_service.auth.outcome import stored
from authbus_service.cluster import Admin
from authbus_service.cluster.admin import NewlyWanted
from authbus_service.core.database import Database, connect
from authbus_service.core.ids import new_id
from authbus_service.inbox import fence
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.repository import Handled
from tests.benchmarks.service import Running, a_service, servers
from tests.rig.dumps import ends_of

NAMESPACE = "bench"
HEAD = "| what | records | the command | until handled | CPU, us a record |"
_SEALED_BYTES = 1_117  # a log-out's
_AT_ONCE = 2_000
_AGE = timedelta(hours=1)


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


async def make_commands(kafka: str, database: Database, count: int) -> None:
    """So many log-outs of an hour ago, each in the inbox."""
    at = datetime.now(UTC) - _AGE
    async with AIOKafkaProducer(bootstrap_servers=kafka, max_batch_size=60_000) as producer:
        for begin in range(0, count, _AT_ONCE):
            made = [_command(at) for _ in range(begin, min(begin + _AT_ONCE, count))]
            async with database.transaction() as db:
                await inbox.put(db, [handled for handled, _, _ in made])
            sent = [
                await producer.send(
                    SESSIONS.name(NAMESPACE),
                    value,
                    key=handled.id.bytes,
                    headers=headers,
                )
                for handled, value, headers in made
            ]
            await asyncio.gather(*sent)


def _command(at: datetime) -> tuple[Handled, bytes, Any]:
    id_ = UUID(f"{int(at.timestamp() * 1000):012x}{new_id().hex[12:]}")
    value, expires_at = os.urandom(_SEALED_BYTES), at + timedelta(minutes=5)
    named = {
        "content-type": SEALED_TYPE,
        "ce_expirytime": stamp(expires_at),
        "reply_to": f"{NAMESPACE}.replies.web",
        "correlation_id": str(id_),
    }
    kind = LogOut.wire_type()
    headers = cloud_event(id=id_, type=kind, source="/clients/web", time=at, extra=named)
    handled = Handled(
        time=at.replace(microsecond=at.microsecond // 1000 * 1000),
        id=id_,
        digest=sha256(value).digest(),
        content=b"",
        master="m",
        expires_at=expires_at,
        handled_at=at,
        outcome=stored(LoggedOut(session_id=id_)),
    )
    return handled, value, headers


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


async def replay_commands(kafka: str, running: Running, database: Database) -> Measured:
    """Everything on the topic, from its start."""
    began, before = time.perf_counter(), _spent(running)
    async with past_the_end(kafka, database) as handled:
        summary = await _authbus(kafka, running, "commands", SESSIONS.suffix, "--from", "0")
        command = time.perf_counter() - began
        await handled()
    ended = time.perf_counter() - began
    count = summary["selected"]
    assert summary["already_handled"] == count, summary
    spent = _since(before, running, count)
    return Measured("commands that were handled", count, command, ended, spent)


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
    async with servers() as on, a_service(on, {}, name=NAMESPACE) as running:
        kafka, database = on.stack.addresses.bootstrap_servers, connect(running.database_url)
        await make_commands(kafka, database, commands)
        async with past_the_end(kafka, database) as handled:
            await handled()
        measured = [await replay_commands(kafka, running, database)]
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
