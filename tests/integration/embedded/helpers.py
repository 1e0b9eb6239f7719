"""What the tests of the embedded stack ask of it, and how they run it as a program."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from authbus_service.embedded import Addresses, exec_shim

MODULE = (sys.executable, "-m", "authbus_service.embedded")


@dataclass
class Run:
    """The stack as a program of its own."""

    child: "subprocess.Popen[str]"
    addresses: Addresses

    def servers(self) -> list[psutil.Process]:
        return psutil.Process(self.child.pid).children(recursive=True)


@contextmanager
def running(*arguments: str, before: Sequence[str] = ()) -> Generator[Run]:
    """Run the stack until the block is left; `before` goes before the command."""
    command = [*before, *MODULE, "run", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield Run(child, Addresses(**json.loads(child.stdout.readline())))
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(20)


async def create_topic(bootstrap_servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


async def produce(bootstrap_servers: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
        await producer.send_and_wait(topic, value)


async def first_record(bootstrap_servers: str, topic: str) -> bytes | None:
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        record = await asyncio.wait_for(consumer.getone(), 10)
    value: bytes | None = record.value
    return value


async def sql(database_url: str, statement: str) -> object:
    """Run one statement; return the first value of its first row."""
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def ordinary(folder: Path) -> list[str]:
    """What goes before a command of an ordinary user, to whom the folder is given.

    Root becomes one by the very way that PostgreSQL goes; others are one already.
    """
    shim = [sys.executable, exec_shim.__file__, str(int(signal.SIGTERM)), str(os.getpid())]
    return [*shim, str(folder)]


def said_by(*arguments: str, before: Sequence[str] = ()) -> tuple[int, str]:
    """Run the program to its end; return its status and what it said to a person."""
    command = [*before, *MODULE, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return ended.returncode, ended.stderr


def rights_of(pid: int) -> str:
    """Return the effective capabilities of a process, as hexadecimal digits."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith("CapEff:"))


def exists(path: Path) -> bool:
    return path.exists()


def alive(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a dead one that nobody has collected does not."""
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]
