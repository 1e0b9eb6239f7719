"""Health and keys over HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http.client import HTTPConnection

import anyio
import pytest
from faststream.kafka import KafkaBroker

from authbus_service.http import HttpServer, PortError, Probes, Readiness, application

JWKS = {"keys": [{"kid": "k1", "kty": "OKP"}]}


@dataclass
class World:
    """A server whose readiness the test decides."""

    readiness: Readiness = field(default_factory=lambda: Readiness(False, {"database": "asleep"}))
    server: HttpServer = field(init=False)

    def __post_init__(self) -> None:
        async def ready() -> Readiness:
            return self.readiness

        app = application(KafkaBroker(), Probes(ready, lambda: JWKS))
        self.server = HttpServer(app, host="127.0.0.1", port=0)

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        return await anyio.to_thread.run_sync(self._get, path)

    def _get(self, path: str) -> tuple[int, dict[str, object]]:
        connection = HTTPConnection(self.server.url.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.load(answer)
        finally:
            connection.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    await world.server.start()
    yield world
    await world.server.stop()


async def test_a_service_is_alive_before_it_is_ready(world: World) -> None:
    assert await world.get("/health/live") == (200, {"alive": True})
    assert await world.get("/health/ready") == (503, {"ready": False, "database": "asleep"})


async def test_a_ready_service_says_what_it_looked_at(world: World) -> None:
    world.readiness = Readiness(True, {"database": "answers"})

    assert await world.get("/health/ready") == (200, {"ready": True, "database": "answers"})


async def test_the_public_keys_are_served_as_a_jwk_set(world: World) -> None:
    assert await world.get("/.well-known/jwks.json") == (200, JWKS)


async def test_a_taken_port_is_one_error_that_names_the_settings(world: World) -> None:
    port = int(world.server.url.rpartition(":")[2])
    second = HttpServer(
        application(KafkaBroker(), Probes(_never, dict)), host="127.0.0.1", port=port
    )

    with pytest.raises(PortError, match=f"127.0.0.1:{port}.*AUTHBUS_HTTP_PORT"):
        await second.start()


async def test_a_stopped_server_lets_its_port_go(world: World) -> None:
    port = int(world.server.url.rpartition(":")[2])
    await world.server.stop()

    again = HttpServer(
        application(KafkaBroker(), Probes(_never, dict)), host="127.0.0.1", port=port
    )
    await again.start()
    await again.stop()


async def _never() -> Readiness:
    raise AssertionError
