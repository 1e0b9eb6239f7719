"""Where the service lives: on the servers that are given, and on its own where none is."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from authbus_service.core.config import Settings
from authbus_service.embedded import EmbeddedStack, PortTakenError
from authbus_service.startup.errors import StartupError
from authbus_service.startup.master_key import kept_master_key

_USUAL_KAFKA_PORT = 9092


@dataclass(frozen=True)
class Servers:
    """Settings with both addresses in them, and which of the two servers are our own."""

    settings: Settings
    own_kafka: bool
    own_database: bool
    stack: EmbeddedStack | None

    async def died(self) -> str:
        """Wait until a server of our own ends without being asked to; return what it said."""
        if self.stack is None:
            await asyncio.Future[None]()
            return ""
        return await self.stack.died()


def needs_own_kafka(settings: Settings) -> bool:
    """Whether no Kafka is given."""
    return settings.kafka_bootstrap_servers is None


@asynccontextmanager
async def running_servers(
    settings: Settings, report: Callable[[str], None]
) -> AsyncGenerator[Servers]:
    """Start what is not given, in the data folder, for the length of a block.

    Enter it in the main thread. Raises EmbeddedError when a server cannot be started.
    """
    own_kafka, own_database = needs_own_kafka(settings), settings.database_url is None
    if not (own_kafka or own_database):
        yield Servers(settings, own_kafka=False, own_database=False, stack=None)
        return
    stack = await _start(settings, report, kafka=own_kafka, postgres=own_database)
    try:
        found: dict[str, Any] = {}
        if own_kafka:
            found["kafka_bootstrap_servers"] = stack.addresses.bootstrap_servers
        if own_database:
            found["database_url"] = SecretStr(stack.addresses.database_url)
        if own_kafka and own_database and not _has_master_key(settings):
            found["master_key_file"] = kept_master_key(settings.data)
        here = settings.model_copy(update=found)
        yield Servers(here, own_kafka=own_kafka, own_database=own_database, stack=stack)
    finally:
        await stack.stop()


def addresses(settings: Settings) -> tuple[str, str]:
    """Kafka's and the database's address; raises StartupError when one is not known."""
    if settings.kafka_bootstrap_servers is None or settings.database_url is None:
        raise StartupError("KAFKA_BOOTSTRAP_SERVERS and DATABASE_URL are needed. Set both")
    return settings.kafka_bootstrap_servers, settings.database_url.get_secret_value()


def _has_master_key(settings: Settings) -> bool:
    return settings.master_key is not None or settings.master_key_file is not None


async def _start(
    settings: Settings, report: Callable[[str], None], *, kafka: bool, postgres: bool
) -> EmbeddedStack:
    def planned(port: int | None) -> EmbeddedStack:
        return EmbeddedStack(
            settings.data, kafka=kafka, postgres=postgres, kafka_port=port, report=report
        )

    if kafka and not (settings.data / "kafka").exists():
        # A new Kafka takes the usual port, so that examples work as they stand; then it keeps it.
        with suppress(PortTakenError):
            stack = planned(_USUAL_KAFKA_PORT)
            await stack.start()
            return stack
    stack = planned(None)
    await stack.start()
    return stack
