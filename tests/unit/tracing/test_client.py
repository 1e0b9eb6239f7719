"""A producer that traces is followed into its command; one that does not sends nothing of it."""

import json
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from pydantic import SecretStr

from authbus.client.outgoing import Outgoing, Sender
from authbus.commands import GetProfile
from authbus.envelope import read_headers
from authbus.sealing import ReplyKey
from authbus.stream.events import read_event
from authbus.tracing import current_traceparent
from authbus_service.core.ids import new_id

USER, CAUSE = "019cade2-123b-8b0e-8f6d-2a9c41e7d058", "019cade2-123b-7c1a-9d52-6f8e0b4a7d31"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def sent() -> Outgoing:
    return Sender("web", "auth").outgoing(
        GetProfile(access_token=SecretStr("none")),
        key="k",
        command_id=new_id(),
        correlation_id=None,
        life=timedelta(seconds=30),
        sealing_key={**ReplyKey().public, "kid": "k1"},
    )


def test_a_command_carries_the_producers_current_span() -> None:
    tracer = TracerProvider().get_tracer("producer")

    with tracer.start_as_current_span("checkout") as span:
        headers = read_headers(sent().headers)

    context = span.get_span_context()
    assert headers["traceparent"] == (
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    )


def test_without_a_span_or_a_tracer_there_is_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    without_span = current_traceparent()
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")

    assert (without_span, current_traceparent()) == (None, None)
    assert "traceparent" not in read_headers(sent().headers)


def test_an_event_tells_the_trace_of_its_cause() -> None:
    about = {"user_id": USER, "sequence": 1, "actor": "service", "causation_id": CAUSE}
    headers = {
        "ce_id": CAUSE,
        "ce_type": "authbus.Newer.v1",
        "ce_time": "2026-03-02T09:30:00Z",
        "traceparent": TRACE,
    }
    record: Any = SimpleNamespace(
        topic="auth.events.v1",
        partition=0,
        offset=7,
        value=json.dumps(about).encode(),
        headers=[(name, value.encode()) for name, value in headers.items()],
    )

    assert read_event(record).traceparent == TRACE
