"""The service as a process of its own; PostgreSQL writes to disk before it answers."""

import base64
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from authbus import AuthClient
from authbus_service.core.database import connect
from authbus_service.core.migrations import migrate
from authbus_service.demo.child import running
from authbus_service.embedded import EmbeddedStack

# Brokers answer from the page cache and trust their replicas; a kept embedded one flushes.
_USUAL = {"log.flush.interval.messages": str(2**63 - 1)}


@dataclass(frozen=True)
class Running:
    """A client of the service, and the processes that work for it."""

    auth: AuthClient
    processes: dict[str, psutil.Process]


@asynccontextmanager
async def a_service(settings: dict[str, str]) -> AsyncGenerator[Running]:
    """Kafka, PostgreSQL and `authbus serve`, all on this machine."""
    with TemporaryDirectory(prefix="authbus-bench-") as folder:
        async with EmbeddedStack(data=Path(folder) / "servers", broker_config=_USUAL) as stack:
            clients = Path(folder) / "clients.toml"
            clients.write_text('[[client]]\nid = "web"\n')
            given = {
                "KAFKA_BOOTSTRAP_SERVERS": stack.addresses.bootstrap_servers,
                "DATABASE_URL": stack.addresses.database_url,
                "AUTHBUS_TOPICS": "apply",
                "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
                "AUTHBUS_CLIENTS": str(clients),
                "AUTHBUS_HTTP_PORT": "0",
                "AUTHBUS_LOG_LEVEL": "warning",
                **settings,
            }
            database = connect(stack.addresses.database_url)
            await migrate(database)
            await database.close()
            async with running(given, Path(folder) / "service.log") as addresses:
                servers = stack.addresses.bootstrap_servers
                trust = str(addresses["trust"])
                async with AuthClient(servers, client_id="web", trust=trust, timeout=60) as auth:
                    yield Running(
                        auth,
                        {
                            "service": _serving(),
                            "kafka": psutil.Process(stack.kafka_process.pid),
                            "postgres": psutil.Process(stack.postgres_process.pid),
                            "caller": psutil.Process(),
                        },
                    )


def _serving() -> psutil.Process:
    children = psutil.Process().children()
    return next(child for child in children if "serve" in child.cmdline())
