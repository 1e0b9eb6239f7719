"""The envelope: CloudEvents 1.0 headers of the Kafka binding, and the payload inside a seal."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from authbus.message import Instant, Message

SEALED_TYPE = "application/jose"
JSON_TYPE = "application/json"
EVENT_SOURCE = "/authbus"
_CLIENTS = "/clients/"
# A command may be waited for at most this long after the time in its id.
LONGEST_LIFE = timedelta(minutes=15)

Header = tuple[str, bytes]
_Short = Annotated[str, StringConstraints(max_length=256)]


class Sealed(Message):
    """What a sealed command's JWE holds: a structured CloudEvent with the way to answer it.

    Headers may repeat these fields and must then be equal. `reply_key` is a one-time public JWK
    (EC P-256) to which every answer but a refusal is sealed. `correlation_id` is optional, because
    some libraries choose it only after sealing; then the record's header counts. Without `reply_to`
    nobody is answered.
    """

    model_config = ConfigDict(extra="forbid")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    type: _Short
    source: _Short
    time: Instant
    expirytime: Instant
    reply_to: _Short | None = None
    reply_partition: Annotated[int, Field(ge=0)] | None = None
    correlation_id: _Short | None = None
    reply_key: dict[str, str] | None = None
    data: dict[str, Any] = Field(repr=False)

    def headers(self) -> list[Header]:
        """The record headers that repeat this payload, for routing, tracing and people."""
        repeated = {
            "content-type": SEALED_TYPE,
            "ce_expirytime": stamp(self.expirytime),
            "reply_to": self.reply_to,
            "reply_partition": None if self.reply_partition is None else str(self.reply_partition),
            "correlation_id": self.correlation_id,
        }
        return cloud_event(
            id=self.id, type=self.type, source=self.source, time=self.time, extra=repeated
        )


def source_of(client_id: str) -> str:
    """What this client's commands carry as `ce_source`."""
    return f"{_CLIENTS}{client_id}"


def client_of(source: str) -> str:
    """The id of the client that a source names; empty when it names none."""
    return source.removeprefix(_CLIENTS) if source.startswith(_CLIENTS) else ""


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, the one form in which authbus writes a time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def cloud_event(
    *,
    id: UUID,  # noqa: A002 - CloudEvents' name
    type: str,  # noqa: A002 - CloudEvents' name
    source: str,
    time: datetime,
    subject: str | None = None,
    extra: Mapping[str, str | None] | None = None,
) -> list[Header]:
    """One record's headers in CloudEvents' binary mode; `extra` without a value is left out."""
    named: dict[str, str | None] = {
        "ce_specversion": "1.0",
        "ce_id": str(id),
        "ce_type": type,
        "ce_source": source,
        "ce_time": stamp(time),
        "ce_subject": subject,
        **(extra or {}),
    }
    return [(name, value.encode()) for name, value in named.items() if value is not None]


def own_headers(
    type: str,  # noqa: A002 - CloudEvents' name
    *,
    id: UUID,  # noqa: A002 - CloudEvents' name
    time: datetime,
    subject: str | None = None,
    cause: UUID | None = None,
    extra: Mapping[str, str | None] | None = None,
) -> list[Header]:
    """The headers of a record that the service itself tells; it is JSON unless `extra` differs."""
    named = {
        "content-type": JSON_TYPE,
        "ce_causationid": None if cause is None else str(cause),
        **(extra or {}),
    }
    return cloud_event(
        id=id, type=type, source=EVENT_SOURCE, time=time, subject=subject, extra=named
    )


def read_headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The headers that are UTF-8 text; the first of a name wins. Never raises."""
    found: dict[str, str] = {}
    for name, value in headers:
        try:
            text = None if value is None else value.decode()
        except UnicodeDecodeError:
            continue
        if text is not None:
            found.setdefault(name, text)
    return found
