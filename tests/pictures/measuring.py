"""How long each step of a log-in takes: a browser's form, a back end, the service, a module."""

import asyncio
import re
import statistics
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time_ns
from typing import Any

import uvicorn
from httpx2 import AsyncClient
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer

from authbus import EventStream, SessionStarted
from tests.benchmarks.service import Running, Servers, a_service, servers
from tests.pictures.collecting import Collected, collecting
from web.app import create_app

PASSWORD = "correct horse battery"
_WARM, _COUNTED = 20, 100
_PAUSE = 0.05
_SETTLED = 7.0  # spans are posted every 5 s
_MS = 1e6


@dataclass
class Lived:
    """One log-in as its browser, its back end and a module downstream saw it."""

    sent: int = 0
    taken: int = 0
    answered: int = 0
    cookie: int = 0
    heard: int = 0


@dataclass
class Site:
    """The back end of schemas/examples/web behind a socket; each form it gets is a trace."""

    port: int
    tracer: Tracer
    lived: dict[str, Lived] = field(default_factory=dict[str, Lived])

    async def log_in(self, http: AsyncClient, email: str) -> None:
        """Load the form, send it, take the cookie."""
        page = await http.get("/log-in")
        token = re.search(r'name="csrf" value="([^"]+)"', page.text)
        cookie = page.headers["set-cookie"].partition(";")[0]
        if token is None:
            raise AssertionError
        fields = {"csrf": token[1], "email": email, "password": PASSWORD}
        began = time_ns()
        answer = await http.post("/log-in", data=fields, headers={"cookie": cookie})
        ended = time_ns()
        if answer.status_code != 303 or "set-cookie" not in answer.headers:
            raise AssertionError(answer.status_code)
        lived = next(reversed(self.lived.values()))
        lived.sent, lived.cookie = began, ended
        http.cookies.clear()


@asynccontextmanager
async def _site(running: Running) -> AsyncGenerator[Site]:
    app = create_app(running.another())
    site = Site(0, TracerProvider().get_tracer("back end"))

    async def traced(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") != "POST":
            await app(scope, receive, send)
            return
        with site.tracer.start_as_current_span("log in") as span:
            lived = Lived(taken=time_ns())
            site.lived[f"{span.get_span_context().trace_id:032x}"] = lived

            async def noting(message: Any) -> None:
                lived.answered = lived.answered or time_ns()
                await send(message)

            await app(scope, receive, noting)

    server = uvicorn.Server(uvicorn.Config(traced, port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it wakes nobody
        await asyncio.sleep(0.01)
    site.port = server.servers[0].sockets[0].getsockname()[1]
    yield site
    server.should_exit = True
    await serving


async def _hears(on: Servers, site: Site) -> None:
    """A module downstream that notes when each session is told of."""
    group = "pictures"
    async for event in EventStream(on.stack.addresses.bootstrap_servers, group=group):
        if isinstance(event.data, SessionStarted) and event.traceparent:
            trace = event.traceparent.split("-")[1]
            heard = time_ns()
            if trace in site.lived:
                site.lived[trace].heard = heard


async def measured() -> dict[str, Any]:
    """The medians of each step, in milliseconds."""
    with collecting() as collected:
        async with servers() as place, a_service(place, collected.settings) as running:
            people = [f"user{number}@example.com" for number in range(_WARM + _COUNTED)]
            for each in people:
                await running.auth.register(each, PASSWORD)
            async with _site(running) as site:
                hearing = asyncio.create_task(_hears(place, site))
                async with AsyncClient(base_url=f"http://127.0.0.1:{site.port}") as http:
                    for each in people:
                        await site.log_in(http, each)
                        await asyncio.sleep(_PAUSE)
                await asyncio.sleep(_SETTLED)
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
    counted = list(site.lived.items())[_WARM:]
    return _medians([_steps(lived, collected, trace) for trace, lived in counted])


def _steps(lived: Lived, collected: Collected, trace: str) -> dict[str, float]:
    spans = collected.traces[trace]
    process = next(span for name, span in spans.items() if name.startswith("process "))
    prepare, hashed, commit = spans["prepare"], spans["hash"], spans["commit"]
    times = {
        "form": lived.taken - lived.sent,
        "command": process[0] - lived.taken,
        "open": prepare[0] - process[0],
        "look up": hashed[0] - prepare[0],
        "hash": hashed[1] - hashed[0],
        "commit": commit[1] - hashed[1],
        "reply": lived.answered - commit[1],
        "cookie": lived.cookie - lived.answered,
        "event": lived.heard - commit[1],
        "whole": lived.cookie - lived.sent,
    }
    return {name: each / _MS for name, each in times.items()}


def _medians(steps: list[dict[str, float]]) -> dict[str, Any]:
    def each(of: Any) -> Mapping[str, float]:
        return {name: round(of([step[name] for step in steps]), 2) for name in steps[0]}

    return {"log-ins": len(steps), "median ms": each(statistics.median), "p99 ms": each(_p99)}


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
