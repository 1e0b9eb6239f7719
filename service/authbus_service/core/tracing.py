"""Spans by OpenTelemetry: from the producer's `traceparent` through the service to its events.

Imported only where traces are on, see startup.tracing. Attributes are ids, topics, types and codes;
no text of an error, nothing that was inside a seal.
"""

import os
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Token
from dataclasses import dataclass
from threading import Thread

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from authbus_service.core.watch import About

_SYSTEM = {"messaging.system.name": "kafka"}
_TOPIC = "messaging.destination.name"
_PARTITION = "messaging.destination.partition.id"
_OFFSET = "kafka.offset"
_MESSAGE = "messaging.message.id"
_OPERATION = "messaging.operation.name"
_OPERATION_TYPE = "messaging.operation.type"
_BATCH = "messaging.batch.message_count"
_ERROR = "error.type"
_TYPE = "authbus.type"
_OUTCOME = "authbus.outcome"
_W3C = TraceContextTextMapPropagator()
# A collector that does not answer would have a process that stops wait for half a minute.
LAST_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Begun:
    """A span that is current until it ends."""

    span: Span
    token: Token[Context]


class Traces:
    """Begins and ends the spans of one process; see Spans."""

    def __init__(self, provider: TracerProvider) -> None:
        """`provider` says where spans go and which are kept."""
        self._provider = provider
        self._tracer = provider.get_tracer("authbus")

    def process(self, about: About) -> Begun:
        """A command, as a child of what its producer was doing."""
        attributes = {
            **_SYSTEM,
            _OPERATION: "process",
            _OPERATION_TYPE: "process",
            _TOPIC: about.topic,
            _PARTITION: str(about.partition),
            _OFFSET: about.offset,
            _MESSAGE: about.id,
            _TYPE: about.type,
        }
        return self._begin(
            f"process {about.topic}", SpanKind.CONSUMER, _remote(about.traceparent), attributes
        )

    def begin(self, stage: str) -> Begun:
        """A part of what is current."""
        kind = SpanKind.PRODUCER if stage == "reply" else SpanKind.INTERNAL
        return self._begin(stage, kind, None, {})

    @contextmanager
    def group(self, writer: str, spans: Sequence[object]) -> Generator[None]:
        """A transaction of many commands: of no trace of theirs, linked to each and from each."""
        commits = [each for each in spans if isinstance(each, Span)]
        links = [Link(each.get_span_context()) for each in commits]
        attributes = {_BATCH: len(spans), "authbus.writer": writer}
        with self._whole("commit group", attributes, links) as span:
            for each in commits:
                each.add_link(span.get_span_context())
            yield

    def end(self, begun: object, error: BaseException | None) -> None:
        """The end of what began, and the class of what went wrong."""
        if isinstance(begun, Begun):
            contexts.detach(begun.token)
            _close(begun.span, error)

    def note(self, outcome: str) -> None:
        """What became of the current command."""
        get_current_span().set_attribute(_OUTCOME, outcome)

    def current(self) -> object | None:
        """The current span, to be linked to."""
        span = get_current_span()
        return None if span is INVALID_SPAN else span

    def traceparent(self) -> str | None:
        """The current span as a record's header names it."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier.get("traceparent")

    @contextmanager
    def said(self, records: Sequence[About]) -> Generator[None]:
        """A Kafka transaction of the relay: a span for each record with a cause, linked to it."""
        caused = [each for each in records if each.traceparent]
        causes = [get_current_span(_remote(each.traceparent)) for each in caused]
        links = [Link(each.get_span_context()) for each in causes]
        with self._whole("relay batch", {_BATCH: len(records)}, links) as batch:
            link = Link(batch.get_span_context())
            sent = [self._sent(each, link) for each in caused]
            error: BaseException | None = None
            try:
                yield
            except BaseException as raised:
                error = raised
                raise
            finally:
                for each in sent:
                    _close(each, error)

    @contextmanager
    def _whole(
        self, name: str, attributes: Mapping[str, str | int], links: Sequence[Link]
    ) -> Generator[Span]:
        """A span that is the root of its own trace."""
        begun = self._begin(name, SpanKind.INTERNAL, Context(), attributes, links)
        try:
            yield begun.span
        except BaseException as error:
            self.end(begun, error)
            raise
        self.end(begun, None)

    def close(self) -> None:
        """Let out what has not gone out yet, as long as a collector takes it in time."""
        last = Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        last.start()
        last.join(LAST_SECONDS)

    def _sent(self, about: About, link: Link) -> Span:
        attributes = {
            **_SYSTEM,
            _OPERATION: "send",
            _OPERATION_TYPE: "send",
            _TOPIC: about.topic,
            _MESSAGE: about.id,
            _TYPE: about.type,
        }
        return self._tracer.start_span(
            f"send {about.topic}", _remote(about.traceparent), SpanKind.PRODUCER, attributes, [link]
        )

    def _begin(
        self,
        name: str,
        kind: SpanKind,
        parent: Context | None,
        attributes: Mapping[str, str | int],
        links: Sequence[Link] = (),
    ) -> Begun:
        span = self._tracer.start_span(name, parent, kind, attributes, links)
        return Begun(span, contexts.attach(set_span_in_context(span)))


def exporting() -> Traces:
    """Traces to where OpenTelemetry's own variables say (OTEL_EXPORTER_OTLP_ENDPOINT ...)."""
    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "authbus"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Traces(provider)


def _remote(traceparent: str | None) -> Context:
    """The producer's span as a parent; nothing of ours, where there is none."""
    carrier = {} if traceparent is None else {"traceparent": traceparent}
    return _W3C.extract(carrier, Context())


def _close(span: Span, error: BaseException | None) -> None:
    if error is not None:
        span.set_attribute(_ERROR, type(error).__name__)
        span.set_status(Status(StatusCode.ERROR))
    span.end()
