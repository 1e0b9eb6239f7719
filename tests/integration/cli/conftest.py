"""The command as a program."""

import asyncio
import base64
import json
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from authbus.topics import EVENTS
from authbus_service.core.clients import read_clients
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from authbus_service.startup.topics import require_topics
from tests.rig import programs
from tests.rig.accident import installed
from tests.rig.guarded import USERS, Guarded, a_guarded
from tests.rig.patient import Patient, a_patient
from tests.rig.secured import Secured, a_secured_kafka
from tests.rig.world import World, a_world

VERSIONS = ("AUTHBUS_EMBEDDED_KAFKA", "AUTHBUS_EMBEDDED_POSTGRES")
KEPT = ("PATH", "PYTHONPATH", "HOME", "AUTHBUS_CACHE", "LANG", *VERSIONS)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


Authbus = Callable[..., Awaitable[Ended]]


def kept() -> dict[str, str]:
    """What a program needs of our own environment."""
    return {name: os.environ[name] for name in KEPT if name in os.environ}


@pytest.fixture
def servers(addresses: Addresses) -> str:
    return addresses.bootstrap_servers


@pytest.fixture
def authbus(tmp_path: Path) -> Authbus:
    """Run `authbus` in an empty folder with these settings alone."""

    async def run(*arguments: str, **settings: str) -> Ended:
        child = await programs.start(
            *arguments, environment={**kept(), **settings}, folder=tmp_path
        )
        out, err = await asyncio.wait_for(child.communicate(), 60)
        return Ended(child.returncode or 0, out.decode(), err.decode())

    return run


START_SECONDS = 60
OWN = {"AUTHBUS_HTTP_PORT": "0"}


@dataclass
class Running:
    """A service that has printed its addresses."""

    child: programs.Program
    addresses: dict[str, Any]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        said = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in said if line.startswith("{")]

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.child.send_signal(number)
        return await asyncio.wait_for(self.child.wait(), 30)

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        status, body = self._get(path)
        return status, json.loads(body)

    def get_text(self, path: str) -> str:
        return self._get(path)[1]

    def _get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection(self.addresses["http"].removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


Serve = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Run the service in the test's folder with these settings alone."""

    @asynccontextmanager
    async def run(**settings: str) -> AsyncGenerator[Running]:
        log = tmp_path / "log"
        with log.open("a") as written:
            environment = {**kept(), **OWN, **settings}
            child = await programs.start(
                "serve", environment=environment, folder=tmp_path, errors=written
            )
        try:
            line = await asyncio.wait_for(child.stdout.readline(), START_SECONDS)
            yield Running(child, json.loads(line), log)
        finally:
            if child.returncode is None:
                child.terminate()
                await child.wait()

    return run


@pytest.fixture
async def world(addresses: Addresses, namespace: str, database: Database) -> AsyncIterator[World]:
    """Topics as they are declared at least, tables and keys, without a service."""
    servers = addresses.bootstrap_servers
    async with a_world(servers, namespace, database, partitions=EVENTS.partitions) as made:
        yield await installed(made)


@pytest.fixture
async def given(
    servers: str, database_url: str, database: Database, namespace: str, tmp_path: Path
) -> dict[str, str]:
    """Settings for servers that are given; topics and tables are there."""
    await database.close()
    clients = tmp_path / "clients.toml"
    clients.write_text('[[client]]\nid = "web"\n')
    declared = read_clients(clients)
    await require_topics(servers, {}, namespace=namespace, clients=declared, how="apply")
    return {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "DATABASE_URL": database_url,
        "AUTHBUS_NAMESPACE": namespace,
        "AUTHBUS_CLIENTS": str(clients),
        "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
    }


@pytest.fixture
async def patient(
    authbus: Authbus,
    servers: str,
    namespace: str,
    database: Database,
    database_url: str,
    tmp_path: Path,
) -> Patient:
    return await a_patient(authbus, servers, namespace, (database, database_url), tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    async with a_secured_kafka(tmp_path_factory.mktemp("secured"), USERS) as started:
        yield started


@pytest.fixture
async def guarded(
    kafka: Secured, database: Database, database_url: str, namespace: str, tmp_path: Path
) -> Guarded:
    return await a_guarded(kafka, database_url, namespace, tmp_path)
