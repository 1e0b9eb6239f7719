"""A collector of OpenTelemetry's spans, for a service that posts them here."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Span = tuple[int, int]
"""Begin and end, in nanoseconds of the machine's clock."""


class Collected:
    """Spans by trace and name; of several with one name the first."""

    def __init__(self) -> None:
        self.traces: dict[str, dict[str, Span]] = defaultdict(dict)
        self.settings: dict[str, str] = {}

    def take(self, body: bytes) -> None:
        """One post."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for each in scope.spans:
                    found = self.traces[each.trace_id.hex()]
                    span = each.start_time_unix_nano, each.end_time_unix_nano
                    found.setdefault(each.name, span)


@contextmanager
def collecting() -> Generator[Collected]:
    """Listen; `settings` are those of the service whose spans come here."""
    collected = Collected()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collected.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        collected.settings = {
            "AUTHBUS_TRACES": "otlp",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        }
        yield collected
        server.shutdown()
