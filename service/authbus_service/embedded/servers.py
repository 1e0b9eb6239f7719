"""A server of the stack: started on a port, killed, started again on the same data and port."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from authbus_service.embedded import kafka, kafka_home, ports, postgres
from authbus_service.embedded.errors import PortTakenError, ServerFailedError
from authbus_service.embedded.processes import Process

_TRIES = 2
_SETTLE_SECONDS = 10.0
_SETTLE_POLL_SECONDS = 0.1
_PORTS = range(1, 65_536)


class Server(ABC):
    """What Kafka and PostgreSQL have in common here."""

    def __init__(self, folder: Path, port: int | None, keep_open: tuple[int, ...]) -> None:
        """Plan a server in a folder; without a port a free one is found."""
        self.folder = folder
        self.port = port or 0
        self._port_is_given = port is not None
        self._keep_open = keep_open
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The running process; raise ServerFailedError when it was never started."""
        if self._process is None:
            msg = f"{type(self).__name__} has not been started. Start it first"
            raise ServerFailedError(msg)
        return self._process

    async def start(self) -> None:
        """Start and wait until it answers.

        A port that was given is used or PortTakenError raised; else it is the port of the last
        run on this data, or a free one when somebody took that.
        """
        if self._port_is_given:
            ports.check_free(self.port)
            await self._run()
        else:
            await self._run_somewhere()
        self._keep_port()

    async def _run_somewhere(self) -> None:
        self.port = self._free_port(again=True)
        for _ in range(_TRIES):
            try:
                return await self._run()
            except PortTakenError:
                self.port = self._free_port(again=False)
        return await self._run()

    def _free_port(self, *, again: bool) -> int:
        before = self._port_before() if again else None
        if before is not None:
            with suppress(PortTakenError):
                ports.check_free(before)
                return before
        return ports.free(1)[0]

    def _keep_port(self) -> None:
        fresh = self._last_port.with_suffix(".new")
        fresh.write_text(str(self.port))
        fresh.replace(self._last_port)

    def _port_before(self) -> int | None:
        """The port of the last run, unless a full disk or a crash left something else there."""
        with suppress(FileNotFoundError, ValueError):
            port = int(self._last_port.read_text())
            return port if port in _PORTS else None
        return None

    @property
    def _last_port(self) -> Path:
        return self.folder / "port"

    async def restart(self) -> None:
        """Start again on the same data and port, after a kill or a stop."""
        await self.stop()
        await self._run()

    async def kill(self) -> None:
        """SIGKILL it, as if it had crashed."""
        await self.process.kill()

    async def give_up(self) -> None:
        """SIGKILL it if it runs: its data is not needed any more."""
        if self._process is not None:
            await self._process.kill()

    async def stop(self) -> None:
        """Ask it to end, and wait for it."""
        if self._process is not None:
            await self._process.stop()

    @abstractmethod
    async def _run(self) -> None:
        """Start the process on `self.port` and wait until it answers."""


class KafkaServer(Server):
    """The broker."""

    def __init__(
        self,
        folder: Path,
        port: int | None,
        keep_open: tuple[int, ...],
        *,
        durable: bool,
        settings: Mapping[str, str],
    ) -> None:
        """Plan a broker; `settings` go over the usual ones."""
        super().__init__(folder, port, keep_open)
        self._durable = durable
        self._settings = settings

    @property
    def log_dir(self) -> Path:
        """The folder of the topics."""
        return kafka.log_dir(self.folder)

    async def _run(self) -> None:
        home = kafka_home.find()
        plan = kafka.BrokerPlan(
            home=home,
            folder=self.folder,
            port=self.port,
            controller_port=ports.free(1, besides=(self.port,))[0],
            settings=self._settings,
            durable=self._durable,
            keep_open=self._keep_open,
        )
        self._process = kafka.start(plan, *home.flags())
        await kafka.ready(self._process, plan)


class PostgresServer(Server):
    """The database server."""

    def __init__(
        self, folder: Path, port: int | None, keep_open: tuple[int, ...], *, durable: bool
    ) -> None:
        """Plan a server; a durable one waits for the disk."""
        super().__init__(folder, port, keep_open)
        self._durable = durable

    @property
    def plan(self) -> postgres.ClusterPlan:
        """Where it runs, on the port it has now."""
        return postgres.ClusterPlan(
            folder=self.folder, port=self.port, durable=self._durable, keep_open=self._keep_open
        )

    async def _run(self) -> None:
        plan = self.plan
        await asyncio.to_thread(postgres.initialise, plan)
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            self._process = postgres.start(plan)
            try:
                return await postgres.ready(self._process, plan)
            except ServerFailedError:
                # Processes of a server that was killed may need a moment to notice.
                settling = postgres.still_settling(self._process)
                if not settling or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_SETTLE_POLL_SECONDS)
