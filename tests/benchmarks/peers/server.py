"""fastapi-users as a process of its own, on the PostgreSQL of the service."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from authbus_service.embedded.processes import Process, Program
from tests.benchmarks.peers.calls import PeerClient
from tests.benchmarks.service import Servers
from tests.rig.databases import empty_database
from tests.rig.post import free_port

_APP = Path(__file__).with_name("app.py")
_PYTHON = Path(__file__).parents[3] / ".cache/peers/bin/python"
_START_SECONDS = 60


@dataclass(frozen=True)
class Peer:
    """A client of fastapi-users, and the processes that work for it."""

    auth: PeerClient
    processes: dict[str, psutil.Process]


@asynccontextmanager
async def fastapi_users(on: Servers) -> AsyncGenerator[Peer]:
    """As many workers as cores, as its users are told to run it."""
    if not _PYTHON.exists():
        raise SystemExit(f"{_PYTHON} is missing. Install it: make bench-peers")
    url, port = await empty_database(on.stack.addresses), free_port()
    workers = len(os.sched_getaffinity(0))
    command = (str(_PYTHON), str(_APP), url, str(port), str(workers))
    process = Process(Program(name="fastapi-users", command=command, log=on.folder / "peer.log"))

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await process.until(listens, _START_SECONDS)
        async with PeerClient(port) as auth:
            parts = {"peer": process.pid, "postgres": on.stack.postgres_process.pid}
            yield Peer(auth, {name: psutil.Process(pid) for name, pid in parts.items()})
    finally:
        await process.stop()
