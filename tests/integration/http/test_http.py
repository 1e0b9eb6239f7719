"""Health, keys, metrics and the contract over HTTP."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import anyio
import pytest
from faststream.kafka import KafkaBroker

from authbus.contract import COMMANDS, EVENTS
from authbus.specification import FOLDER
from authbus_service.core.metrics import Metrics
from authbus_service.http import HttpServer, PortError, Probes, Readiness, application

JWKS = {"keys": [{"kid": "k1", "kty": "OKP"}]}


@dataclass
class World:
    """A server whose readiness the test decides."""

    readiness: Readiness = field(default_factory=lambda: Readiness(["why"], {"database": "asleep"}))
    server: HttpServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = HttpServer(self.application(), host="127.0.0.1", port=0)

    def application(self) -> Any:
        async def ready() -> Readiness:
            return self.readiness

        probes = Probes(ready, lambda: JWKS, partial(Metrics().exposed, "staging"), "staging")
        return application(KafkaBroker(), probes)

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        answer, body = await self.raw(path)
        return answer.status, json.loads(body)

    async def raw(self, path: str) -> tuple[HTTPResponse, str]:
        return await anyio.to_thread.run_sync(self._get, path)

    def _get(self, path: str) -> tuple[HTTPResponse, str]:
        connection = HTTPConnection(self.server.url.removeprefix("http://"), timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer, answer.read().decode()
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
    assert await world.get("/health/ready") == (
        503,
        {"ready": False, "reasons": ["why"], "database": "asleep"},
    )


async def test_a_service_without_a_reason_against_it_is_ready(world: World) -> None:
    world.readiness = Readiness([], {"database": "answers"})

    assert await world.get("/health/ready") == (
        200,
        {"ready": True, "reasons": [], "database": "answers"},
    )


async def test_the_public_keys_are_served_as_a_jwk_set(world: World) -> None:
    assert await world.get("/.well-known/jwks.json") == (200, JWKS)


async def test_metrics_are_served_in_the_format_of_prometheus(world: World) -> None:
    answer, body = await world.raw("/metrics")

    assert answer.status == 200
    assert (answer.getheader("content-type") or "").startswith("text/plain; version=")
    assert "# TYPE authbus_stage_seconds histogram\n" in body
    assert 'authbus_stage_seconds_count{installation="staging",stage="open"} 0.0\n' in body


async def test_the_page_of_the_contract_shows_every_command_and_event(world: World) -> None:
    answer, page = await world.raw("/docs")

    assert answer.status == 200
    assert answer.getheader("content-type") == "text/html; charset=utf-8"
    shown = [name for name in (*COMMANDS, *EVENTS) if f"<code>{name}</code>" in page]
    assert shown == [*COMMANDS, *EVENTS]
    assert "staging.commands.credentials.v1" in page
    assert "auth.commands.credentials.v1" not in page.partition("<section>")[0]


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(world: World) -> None:
    answer, page = await world.raw("/docs")
    style, css = await world.raw("/docs/style.css")

    policy = answer.getheader("content-security-policy") or ""
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "<script" not in page
    assert " style=" not in page
    assert not [each for each in ("src=", "@import", "url(") if each in page + css]
    assert 'href="docs/style.css"' in page
    assert (style.status, style.getheader("content-type")) == (200, "text/css")


async def test_the_packed_asyncapi_document_is_served_as_it_is(world: World) -> None:
    _, body = await world.raw("/docs/asyncapi.json")

    assert body == (FOLDER / "asyncapi.json").read_text(encoding="utf-8")


async def test_a_taken_port_is_one_error_that_names_the_settings(world: World) -> None:
    port = int(world.server.url.rpartition(":")[2])
    second = HttpServer(world.application(), host="127.0.0.1", port=port)

    with pytest.raises(PortError, match=f"127.0.0.1:{port}.*AUTHBUS_HTTP_PORT"):
        await second.start()


async def test_a_stopped_server_lets_its_port_go(world: World) -> None:
    port = int(world.server.url.rpartition(":")[2])
    await world.server.stop()

    again = HttpServer(world.application(), host="127.0.0.1", port=port)
    await again.start()
    await again.stop()
