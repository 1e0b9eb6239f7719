"""A record's headers, read before its seal is opened: a claim to be compared, not yet a truth."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from authbus.envelope import Sealed, read_headers
from authbus.state import DeadLetterReason
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.unreadable import UnreadableError

_OURS = frozenset(
    {
        "content-type",
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_time",
        "ce_expirytime",
        "ce_subject",
        "reply_to",
        "reply_partition",
        "correlation_id",
        "traceparent",
        "kafka_replyTopic",
    }
)
_SPRING_CORRELATION = "kafka_correlationId"
_SPRING_PARTITION = "kafka_replyPartition"
_READ = _OURS | {_SPRING_CORRELATION, _SPRING_PARTITION}
_LONGEST = 1024
# Python reads many more forms of both, some with any letter between date and time.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True)
class Labels:
    """The headers that matter, as text; `spring_correlation` is echoed byte for byte."""

    id: UUID
    text: dict[str, str]
    spring_correlation: bytes | None
    spring_partition: int | None

    @property
    def traceparent(self) -> str | None:
        """W3C's trace context, the one header that goes on into events, if well formed."""
        text = self.text.get("traceparent", "")
        return text if _TRACEPARENT.fullmatch(text) else None

    @property
    def expires_at(self) -> datetime | None:
        """What the headers say of the expiry."""
        return instant(self.text.get("ce_expirytime"))

    def agree_with(self, sealed: Sealed) -> bool:
        """Whether everything that a header repeats is what the seal holds."""
        exact = {
            "ce_specversion": sealed.specversion,
            "ce_id": str(sealed.id),
            "ce_type": sealed.type,
            "ce_source": sealed.source,
            "reply_to": sealed.reply_to,
            "reply_partition": _text(sealed.reply_partition),
            "correlation_id": sealed.correlation_id,
        }
        times = {"ce_time": sealed.time, "ce_expirytime": sealed.expirytime}
        chosen_late = sealed.correlation_id is None
        return all(
            self.text.get(name, value) == value
            for name, value in exact.items()
            if not (name == "correlation_id" and chosen_late)
        ) and all(
            name not in self.text or instant(self.text[name]) == value
            for name, value in times.items()
        )


def read_labels(arrival: Arrival) -> Labels:
    """The labels of a record. Raises UnreadableError for a null, double or non-UTF-8 header.

    So it does for a record that was unreadable when it was fetched.
    """
    if arrival.fault is not None:
        raise UnreadableError(arrival.fault)
    ours = [header for header in arrival.headers if header[0] in _OURS]
    text = read_headers(ours)
    if len(text) < len(ours) or any(len(value) > _LONGEST for value in text.values()):
        raise UnreadableError(DeadLetterReason.BAD_HEADER)
    command_id = claimed_id(text.get("ce_id"))
    if command_id is None:
        raise UnreadableError(DeadLetterReason.BAD_HEADER)
    text["ce_id"] = str(command_id)
    spring = dict(arrival.headers)
    correlation, partition = spring.get(_SPRING_CORRELATION), spring.get(_SPRING_PARTITION)
    if correlation is not None and len(correlation) > _LONGEST:
        raise UnreadableError(DeadLetterReason.BAD_HEADER)
    return Labels(
        id=command_id,
        text=text,
        spring_correlation=correlation,
        spring_partition=None if partition is None else int.from_bytes(partition[:4], "big"),
    )


def with_labels_alone(arrival: Arrival) -> Arrival:
    """The record without what a stranger may add to it: headers that nobody reads."""
    return replace(arrival, headers=[each for each in arrival.headers if each[0] in _READ])


def claimed_id(text: str | None) -> UUID | None:
    """The id of a command that a header names; None for any form of it but the usual one."""
    return UUID(text) if text is not None and _UUID.fullmatch(text) else None


def instant(text: str | None) -> datetime | None:
    """The time in an RFC 3339 text, or None where it is not one."""
    if text is None or not _RFC_3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
