"""The service as a process of its own; PostgreSQL writes to disk before it answers."""

import base64
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from authbus import AuthClient
from authbus_service.core.database import connect
from authbus_service.core.migrations import migrate
from authbus_service.demo.child import running
from authbus_service.embedded import EmbeddedStack
from tests.rig.databases import empty_database

# Brokers answer from the page cache and trust their replicas; a kept embedded one flushes.
_USUAL = {"log.flush.interval.messages": str(2**63 - 1)}


@dataclass(frozen=True)
class Servers:
    """A Kafka and a PostgreSQL, and a folder for the services on them."""

    stack: EmbeddedStack
    folder: Path


@dataclass(frozen=True)
class Running:
    """A client of the service, the processes that work for it, its database.

    `started` is how long it took until commands were taken, in seconds. `another` makes a further
    client.
    """

    auth: AuthClient
    processes: dict[str, psutil.Process]
    database_url: str
    started: float
    another: Callable[[], AuthClient]


@asynccontextmanager
async def servers() -> AsyncGenerator[Servers]:
    """Kafka and PostgreSQL on this machine."""
    with TemporaryDirectory(prefix="authbus-bench-") as folder:
        async with EmbeddedStack(data=Path(folder) / "servers", broker_config=_USUAL) as stack:
            yield Servers(stack, Path(folder))


@asynccontextmanager
async def a_service(
    on: Servers, settings: dict[str, str], *, name: str = "auth", processes: int = 1
) -> AsyncGenerator[Running]:
    """`authbus serve` with topics and a database of its own, in so many processes."""
    servers = on.stack.addresses.bootstrap_servers
    given = await _given(on, name) | settings
    serving: dict[str, psutil.Process] = {}
    trust = ""
    async with AsyncExitStack() as stack:
        began = time.perf_counter()
        for number in range(processes):
            before = _serving()
            told = await stack.enter_async_context(
                running(given, on.folder / f"{name}{number}.log")
            )
            (serving[f"service {number}"],) = _serving() - before
            trust = str(told["trust"])
        started = (time.perf_counter() - began) / processes
        another = partial(
            AuthClient, servers, client_id="web", namespace=name, trust=trust, timeout=60
        )
        auth = await stack.enter_async_context(another())
        parts = {
            **({"service": serving["service 0"]} if processes == 1 else serving),
            "kafka": psutil.Process(on.stack.kafka_process.pid),
            "postgres": psutil.Process(on.stack.postgres_process.pid),
            "caller": psutil.Process(),
        }
        yield Running(auth, parts, given["DATABASE_URL"], started, another)


async def _given(on: Servers, name: str) -> dict[str, str]:
    """What a service is told, with a database that has its tables."""
    addresses, clients = on.stack.addresses, on.folder / "clients.toml"
    clients.write_text('[[client]]\nid = "web"\n')
    url = await empty_database(addresses)
    database = connect(url)
    await migrate(database)
    await database.close()
    return {
        "KAFKA_BOOTSTRAP_SERVERS": addresses.bootstrap_servers,
        "DATABASE_URL": url,
        "AUTHBUS_NAMESPACE": name,
        "AUTHBUS_TOPICS": "apply",
        "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
        "AUTHBUS_CLIENTS": str(clients),
        "AUTHBUS_HTTP_PORT": "0",
        "AUTHBUS_LOG_LEVEL": "warning",
    }


def _serving() -> set[psutil.Process]:
    return {child for child in psutil.Process().children() if "serve" in child.cmdline()}
