"""Disks of the servers that can be full: in memory, each as large as it is told to be.

Only root can have them, where it may mount.
"""

import asyncio
import errno
import os
import subprocess
from collections.abc import Awaitable, Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from authbus_service.embedded import EmbeddedStack
from authbus_service.embedded.processes import Process
from tests.chaos.run.wire import Fault

MENU = ("fill PostgreSQL's disk", "fill Kafka's disk")
_ROOM = 4 << 30
_LEAST_ROOM, _TRIES = 65_536, 20
_FULL_SECONDS = (2.0, 5.0)
# A server that cannot go on may need a moment to end.
_ENDS_SECONDS = 1.0


class Disk:
    """A file system of its own at `path`, for the length of a block."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def mounted(self) -> Generator[None]:
        self.path.mkdir(parents=True, exist_ok=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={_ROOM},mode=711", "tmpfs", str(self.path))
        try:
            yield
        finally:
            _run("umount", "--lazy", str(self.path))

    def fill(self) -> None:
        """Leave no room; what is written meanwhile may take some of the last."""
        for tried in range(_TRIES):
            with suppress(subprocess.CalledProcessError):
                return self._resize(self._used() + tried * _LEAST_ROOM)
        raise OSError(errno.EBUSY, "grows faster than it can be limited", str(self.path))

    def relieve(self) -> None:
        """Give the room back."""
        self._resize(_ROOM)

    @property
    def is_full(self) -> bool:
        """Whether no more can be written."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize <= _TRIES * _LEAST_ROOM

    def _used(self) -> int:
        found = os.statvfs(self.path)
        return (found.f_blocks - found.f_bfree) * found.f_frsize

    def _resize(self, size: int) -> None:
        _run("mount", "-o", f"remount,size={size}", str(self.path))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def can_be_had() -> bool:
    """Whether this process may mount."""
    if os.geteuid() != 0:
        return False
    with (
        TemporaryDirectory() as folder,
        suppress(subprocess.CalledProcessError, OSError),
        Disk(Path(folder) / "disk").mounted(),
    ):
        return True
    return False


@dataclass(frozen=True)
class Disks:
    """Those of PostgreSQL and of Kafka."""

    postgres: Disk
    kafka: Disk

    @contextmanager
    def mounted(self) -> Generator[None]:
        with ExitStack() as stack:
            stack.enter_context(self.postgres.mounted())
            stack.enter_context(self.kafka.mounted())
            yield


def disks_of(servers: Path) -> Disks:
    """Where an embedded stack in this folder has its data."""
    return Disks(Disk(servers / "postgres"), Disk(servers / "kafka"))


@dataclass(frozen=True)
class Filling:
    """Each of `faults` tells whether the disk was full, and leaves a server that runs."""

    disks: Disks
    stack: EmbeddedStack
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Both by name."""
        disks, stack = self.disks, self.stack
        return {
            MENU[0]: lambda: self._fill(
                disks.postgres, lambda: stack.postgres_process, stack.restart_postgres
            ),
            MENU[1]: lambda: self._fill(
                disks.kafka, lambda: stack.kafka_process, stack.restart_kafka
            ),
        }

    async def _fill(
        self, disk: Disk, process: Callable[[], Process], restart: Callable[[], Awaitable[None]]
    ) -> bool:
        disk.fill()
        try:
            was_full = disk.is_full
            await asyncio.sleep(self.random.uniform(*_FULL_SECONDS))
        finally:
            disk.relieve()
        if await process().wait(_ENDS_SECONDS):
            await restart()
        return was_full
