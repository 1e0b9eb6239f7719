"""The few paths that are served, on FastStream's ASGI application."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker
from pydantic_core import to_json

_JWKS_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was looked at, and in words what was seen; ready when everything is well."""

    ready: bool
    seen: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Probes:
    """Where the answers come from: the service's state now, and its public keys as a JWK set."""

    ready: Callable[[], Awaitable[Readiness]]
    jwks: Callable[[], Mapping[str, Any]]


def application(broker: KafkaBroker, probes: Probes) -> AsgiFastStream:
    """The application: the broker's life, and the routes."""

    @get
    async def live() -> AsgiResponse:
        return _json({"alive": True})

    @get
    async def ready() -> AsgiResponse:
        found = await probes.ready()
        return _json({"ready": found.ready, **found.seen}, 200 if found.ready else 503)

    @get
    async def jwks() -> AsgiResponse:
        caching = {"cache-control": f"public, max-age={_JWKS_SECONDS}"}
        return _json(probes.jwks(), headers=caching)

    return AsgiFastStream(
        broker,
        logger=None,
        asgi_routes=[
            ("/health/live", live),
            ("/health/ready", ready),
            ("/.well-known/jwks.json", jwks),
        ],
    )


def _json(
    value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> AsgiResponse:
    named = {"content-type": "application/json", **(headers or {})}
    return AsgiResponse(to_json(value), status, named)
