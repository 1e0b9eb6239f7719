"""`authbus serve` as a process that can be stopped, killed and started again."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

from authbus_service.cli import main
from authbus_service.consumers import subscriber
from authbus_service.relay import producer
from tests.rig import programs

_REPOSITORY = Path(__file__).resolve().parents[2]
# Longer than the relay waits for a transaction, as the usual one is.
TRANSACTION_MS = 5_000
_START_SECONDS = 60
_STOP_SECONDS = 40


class ServiceProcess:
    """One process; with `missed_after` (seconds) Kafka misses it sooner than it usually would."""

    def __init__(
        self, settings: Mapping[str, str], log: Path, missed_after: float | None = None
    ) -> None:
        self.told: dict[str, Any] = {}
        self._settings, self._log, self._missed_after = settings, log, missed_after
        self._child: programs.Program | None = None

    @property
    def child(self) -> programs.Program:
        assert self._child is not None
        return self._child

    async def start(self) -> None:
        """Start, and wait until commands are taken."""
        module, *arguments = self.program()
        with self._log.open("ab") as log:
            self._child = await programs.start(
                *arguments,
                module=module,
                environment={**os.environ, **self._settings},
                folder=_REPOSITORY,
                errors=log,
            )
        async with asyncio.timeout(_START_SECONDS):
            line = await self._child.stdout.readline()
        assert line, self._log.read_text()[-2000:]
        self.told = json.loads(line)

    def program(self) -> tuple[str, ...]:
        """The module that runs it, and its arguments."""
        if self._missed_after is None:
            return "authbus_service", "serve"
        return __name__, str(self._missed_after)

    def metrics(self) -> str:
        """What it shows to Prometheus."""
        return self._page("/metrics")

    def rss(self) -> int:
        """How many bytes of memory it has."""
        return psutil.Process(self.child.pid).memory_info().rss

    def public_keys(self) -> list[dict[str, str]]:
        """Its JWK set."""
        return json.loads(self._page("/.well-known/jwks.json"))["keys"]

    def _page(self, path: str) -> str:
        connection = HTTPConnection(self.told["http"].removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    async def stop(self) -> int:
        """SIGTERM, as a rolling restart sends it; returns the exit status."""
        self.child.terminate()
        return await asyncio.wait_for(self.child.wait(), _STOP_SECONDS)

    async def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()
        await self.child.wait()


@asynccontextmanager
async def serving(
    settings: Mapping[str, str], log: Path, missed_after: float | None = None
) -> AsyncGenerator[ServiceProcess]:
    """A process for the length of a block, whatever is done to it in between."""
    process = ServiceProcess(settings, log, missed_after)
    await process.start()
    try:
        yield process
    finally:
        if process.child.returncode is None:
            await process.stop()


def cut_short(missed_after: float) -> None:
    """Let Kafka miss this process after so many seconds, and abort what it leaves open soon."""
    subscriber._SESSION_MS = int(missed_after * 1000)  # pyright: ignore[reportPrivateUsage]
    subscriber._HEARTBEAT_MS = 500  # pyright: ignore[reportPrivateUsage]
    producer._TRANSACTION_MS = TRANSACTION_MS  # pyright: ignore[reportPrivateUsage]


def serve(missed_after: float) -> None:
    """Be such a process."""
    cut_short(missed_after)
    sys.argv[1:] = ["serve"]
    main()


if __name__ == "__main__":
    serve(float(sys.argv[1]))
