"""A real Kafka and a real PostgreSQL for as long as a program runs."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self, TypeVar

from authbus_service.embedded.data_folder import DataFolder
from authbus_service.embedded.errors import ServerFailedError
from authbus_service.embedded.postgres import check_installed
from authbus_service.embedded.processes import Process
from authbus_service.embedded.servers import KafkaServer, PostgresServer, Server
from authbus_service.embedded.warming import warm

S = TypeVar("S", bound=Server)

_POLL_SECONDS = 0.1
_USUAL: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Addresses:
    """Where the servers listen; empty for one that was not wanted."""

    bootstrap_servers: str = ""
    database_url: str = ""


def quiet(line: str) -> None:
    """Report to nobody."""
    del line


class EmbeddedStack:
    """Start both servers on entering, end them on leaving; `start` and `stop` do the same.

    Start it in a thread that lives as long as the servers shall: Linux ends them with that thread.
    """

    def __init__(
        self,
        data: Path | None = None,
        *,
        kafka: bool = True,
        postgres: bool = True,
        broker_config: Mapping[str, str] = _USUAL,
        kafka_port: int | None = None,
        postgres_port: int | None = None,
        report: Callable[[str], None] = quiet,
    ) -> None:
        """Plan a stack; without `data` it lives in a temporary folder and does not wait for disks.

        `broker_config` goes over the broker's usual settings; a port that is given is used, else a
        free one is found; `report` gets lines for a person.
        """
        self.addresses = Addresses()
        self._data = DataFolder(data)
        self._wants = (kafka, postgres)
        self._broker_config = dict(broker_config)
        self._ports = (kafka_port, postgres_port)
        self._report = report
        self._kafka: KafkaServer | None = None
        self._postgres: PostgresServer | None = None

    async def start(self) -> None:
        """Start what is wanted; raise EmbeddedError, with nothing left running, when that fails."""
        wants_kafka, wants_postgres = self._wants
        if wants_postgres:
            check_installed()
        if wants_kafka:
            await asyncio.to_thread(warm, self._report)
        keep_open = await self._data.claim()
        if wants_kafka:
            self._kafka = KafkaServer(
                self._data.path / "kafka",
                self._ports[0],
                keep_open,
                durable=self._data.kept,
                settings=self._broker_config,
            )
        if wants_postgres:
            self._postgres = PostgresServer(
                self._data.path / "postgres", self._ports[1], keep_open, durable=self._data.kept
            )
        try:
            await _all(*(server.start() for server in self._servers))
        except BaseException:
            await self.stop()
            raise
        self.addresses = Addresses(
            f"127.0.0.1:{self._kafka.port}" if self._kafka else "",
            self._postgres.plan.url() if self._postgres else "",
        )

    async def stop(self) -> None:
        """End the servers and let the folder go; harmless when nothing runs.

        A broker closes each of its partitions in order, which nobody needs of data that goes too.
        """
        if self._kafka is not None and not self._data.kept:
            await self._kafka.give_up()
        await _all(*(server.stop() for server in self._servers))
        self._kafka = self._postgres = None
        self.addresses = Addresses()
        self._data.leave()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        await self.stop()

    async def died(self) -> str:
        """Wait until a server ends without being asked to; return which, with its last lines."""
        while True:
            for server in self._servers:
                if server.process.ended and not server.process.expected:
                    return server.process.obituary()
            await asyncio.sleep(_POLL_SECONDS)

    @property
    def kafka_process(self) -> Process:
        """The broker's process, with its `pid`."""
        return self._started(self._kafka).process

    @property
    def postgres_process(self) -> Process:
        """The database server's process, with its `pid`."""
        return self._started(self._postgres).process

    @property
    def kafka_log_dir(self) -> Path:
        """The folder with the topics' bytes."""
        return self._started(self._kafka).log_dir

    @property
    def postgres_data_dir(self) -> Path:
        """The folder with the database's bytes, write-ahead log included."""
        return self._started(self._postgres).plan.data_dir

    async def kill_kafka(self) -> None:
        """SIGKILL the broker and wait until it is gone; `died` does not count this."""
        await self._started(self._kafka).kill()

    async def restart_kafka(self) -> None:
        """Start the broker again on the same data and port."""
        await self._started(self._kafka).restart()

    async def kill_postgres(self) -> None:
        """SIGKILL the database server and wait until it is gone; `died` does not count this."""
        await self._started(self._postgres).kill()

    async def restart_postgres(self) -> None:
        """Start the database server again on the same data and port."""
        await self._started(self._postgres).restart()

    @property
    def _servers(self) -> list[Server]:
        return [server for server in (self._kafka, self._postgres) if server is not None]

    @staticmethod
    def _started(server: S | None) -> S:
        if server is None:
            msg = (
                "this server is not part of the stack, or the stack has not been started. "
                "Start it with it"
            )
            raise ServerFailedError(msg)
        return server


async def _all(*work: Coroutine[None, None, None]) -> None:
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if result is not None:
            raise result
