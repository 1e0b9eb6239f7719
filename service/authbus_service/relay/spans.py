"""The spans of what the relay says, each record in the trace of its cause."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from authbus.topics import RELAY
from authbus_service.core.watch import About
from authbus_service.outbox.repository import Waiting

_CAUSE = "traceparent"


class RelaySpans(Protocol):
    """Tells of a Kafka transaction for the length of a block; see tracing.Traces."""

    def said(self, records: Sequence[About]) -> AbstractContextManager[None]: ...


def spans_of(
    traces: RelaySpans, namespace: str, rows: Sequence[Waiting]
) -> AbstractContextManager[None]:
    """A block in which these rows are said, each in the trace of its cause."""
    return traces.said([_about(row, namespace) for row in rows if row.topic != RELAY.suffix])


def _about(row: Waiting, namespace: str) -> About:
    cause = dict(row.headers).get(_CAUSE)
    return About(
        topic=f"{namespace}.{row.topic}",
        id=str(row.said.id),
        type=row.type,
        traceparent=None if cause is None else cause.decode(),
    )
