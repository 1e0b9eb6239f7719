"""Spans go to where OpenTelemetry's variables say; without the extra there is one clear error."""

import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic

import pytest

from authbus_service.core import tracing
from authbus_service.core.metrics import Metrics, Stage
from authbus_service.core.watch import Watch
from authbus_service.startup.errors import StartupError
from authbus_service.startup.tracing import open_traces


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, bytes]]]:
    """What is posted to a collector."""
    posted: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            posted.append((self.path, self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield posted
        server.shutdown()


def test_spans_are_posted_to_the_collector_that_is_set(
    collector: list[tuple[str, bytes]],
) -> None:
    traces = open_traces("otlp")
    assert traces is not None
    with Watch(Metrics(), traces).stage(Stage.OPEN):
        pass
    traces.close()

    ((path, body),) = collector
    assert path == "/v1/traces"
    assert b"authbus" in body
    assert b"open" in body


def test_a_process_that_stops_waits_a_moment_alone_for_a_collector_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "LAST_SECONDS", 0.2)
    before = {*threading.enumerate()}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "3")
        traces = open_traces("otlp")
        assert traces is not None
        with Watch(Metrics(), traces).stage(Stage.OPEN):
            pass

        began = monotonic()
        traces.close()
        took = monotonic() - began
    for left in {*threading.enumerate()} - before:  # it draws a pause by chance, in others' tests
        left.join(10)

    assert 0.2 <= took < 2


def test_traces_that_are_off_need_no_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "authbus_service.core.tracing", None)

    assert open_traces("off") is None
    with pytest.raises(StartupError, match="its extra `otel`"):
        open_traces("otlp")
