"""The few paths that are served, on FastStream's ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker
from pydantic_core import to_json

from authbus_service.http.contract_page import contract_page, spec_bytes, style_bytes

_JWKS_SECONDS = 60
_SAFE = {
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was seen, as plain data, and why the service is not ready; no reason: it is."""

    reasons: Sequence[str]
    seen: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Probes:
    """Where the answers come from: the service's state now, its public keys, its metrics.

    `metrics` is a body and its content type. `namespace` is the one that `/docs` shows.
    """

    ready: Callable[[], Awaitable[Readiness]]
    jwks: Callable[[], Mapping[str, Any]]
    metrics: Callable[[], tuple[bytes, str]]
    namespace: str = "auth"


def application(broker: KafkaBroker, probes: Probes) -> AsgiFastStream:
    """The application: the broker's life, and the routes."""

    @get
    async def live() -> AsgiResponse:
        return _json({"alive": True})

    @get
    async def ready() -> AsgiResponse:
        found = await probes.ready()
        is_ready = not found.reasons
        body = {"ready": is_ready, "reasons": found.reasons, **found.seen}
        return _json(body, 200 if is_ready else 503)

    @get
    async def jwks() -> AsgiResponse:
        caching = {"cache-control": f"public, max-age={_JWKS_SECONDS}"}
        return _json(probes.jwks(), headers=caching)

    @get
    async def metrics() -> AsgiResponse:
        body, content_type = probes.metrics()
        return AsgiResponse(body, 200, {"content-type": content_type})

    routes = [
        ("/health/live", live),
        ("/health/ready", ready),
        ("/.well-known/jwks.json", jwks),
        ("/metrics", metrics),
        *_documents(probes.namespace),
    ]
    return AsgiFastStream(broker, logger=None, asgi_routes=routes)


def _documents(namespace: str) -> list[tuple[str, Any]]:
    @get
    async def page() -> AsgiResponse:
        body = await asyncio.to_thread(contract_page, namespace)
        return AsgiResponse(body, 200, {"content-type": "text/html; charset=utf-8", **_SAFE})

    @get
    async def style() -> AsgiResponse:
        return AsgiResponse(style_bytes(), 200, {"content-type": "text/css", **_SAFE})

    @get
    async def spec() -> AsgiResponse:
        return AsgiResponse(spec_bytes(), 200, {"content-type": "application/json", **_SAFE})

    return [("/docs", page), ("/docs/style.css", style), ("/docs/asyncapi.json", spec)]


def _json(
    value: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> AsgiResponse:
    named = {"content-type": "application/json", **(headers or {})}
    return AsgiResponse(to_json(value), status, named)
