"""`authbus watch`: records as they come, each with its ids, its outcome and how long it took.

Nothing is opened and nothing is committed: it shows what stands in the clear.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import BaseModel, ConfigDict, ValidationError

from authbus.envelope import read_headers
from authbus.replies import Rejected
from authbus.state import FeedAlive
from authbus.topics import AUDIT, COMMAND_TOPICS, DEAD_LETTERS, EVENTS, replies
from authbus_service.cluster import Admin, ClusterError
from authbus_service.consumers.bounded import read_bounded
from authbus_service.replay.records import Record, Where, short

_POLL_MS = 100
_FETCH_MS = 50
_REMEMBERED = 100_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class _Said(BaseModel):
    """The fields of values in the clear that are shown."""

    model_config = ConfigDict(extra="ignore")

    code: str | None = None
    outcome: str | None = None
    reason: str | None = None
    user_id: str | None = None
    subject: str | None = None
    session_id: str | None = None
    how: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One record. `after_ms`: since its command was appended, by the stage that it ends.

    `sent`: from the producer's clock to the broker's. `decided`: to the commit. `answered`, `told`:
    to when the answer or the event was written to Kafka. What is not known is left out.
    """

    at: datetime
    kind: str
    type: str
    id: str
    command_id: str | None = None
    client: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    outcome: str | None = None
    replay_id: str | None = None
    place: str = ""
    after_ms: Mapping[str, float] = field(default_factory=dict[str, float])

    def as_json(self) -> dict[str, Any]:
        """All that is known."""
        return {name: value for name, value in asdict(self).items() if value not in (None, {})}


@dataclass(slots=True)
class Watch:
    """Remembers when commands came, the newest of them, so that later records tell their time."""

    namespace: str
    _came: OrderedDict[str, datetime] = field(default_factory=OrderedDict[str, datetime])

    def seen(self, record: Record) -> Seen | None:
        """What to show of a record; None: nothing."""
        headers = read_headers(record.headers)
        kind, at = self._kind(record.topic), _instant(record.timestamp)
        type_ = headers.get("ce_type", "")
        if type_ == FeedAlive.wire_type():
            return None
        said = _said(record)
        command_id = headers.get("ce_id") if kind == "command" else _cause(headers, kind, record)
        stages = self._stages(kind, at, headers, command_id)
        return Seen(
            at=at,
            kind=kind,
            type=short(type_),
            id=headers.get("ce_id", ""),
            command_id=command_id,
            client=_client(headers) if kind == "command" else None,
            user_id=said.user_id or said.subject,
            session_id=said.session_id,
            outcome=_outcome(kind, type_, said),
            replay_id=headers.get("replay_id"),
            place=f"{record.topic}/{record.partition}/{record.offset}",
            after_ms=stages,
        )

    def _kind(self, topic: str) -> str:
        suffix = topic.removeprefix(f"{self.namespace}.")
        names = {AUDIT.suffix: "audit", EVENTS.suffix: "event", DEAD_LETTERS.suffix: "dead letter"}
        if suffix in {each.suffix for each in COMMAND_TOPICS}:
            return "command"
        return names.get(suffix, "reply")

    def _stages(
        self, kind: str, at: datetime, headers: Mapping[str, str], command_id: str | None
    ) -> dict[str, float]:
        said_at = _time(headers.get("ce_time"))
        if kind == "command":
            if command_id is not None:
                self._remember(command_id, at)
            return {} if said_at is None else {"sent": _ms(at - said_at)}
        came = self._came.get(command_id or "")
        if came is None:
            return {}
        written = {"reply": "answered", "event": "told", "audit": "told"}.get(kind)
        stages = {} if written is None else {written: _ms(at - came)}
        if said_at is not None and kind in {"event", "audit"}:
            stages = {"decided": _ms(said_at - came), **stages}
        return stages

    def _remember(self, command_id: str, at: datetime) -> None:
        self._came.setdefault(command_id, at)
        self._came.move_to_end(command_id)
        if len(self._came) > _REMEMBERED:
            self._came.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Watching:
    """Follows one namespace and the replies of these clients from now on."""

    admin: Admin
    namespace: str
    clients: Sequence[str]
    where: Where
    security: Mapping[str, Any] = field(default_factory=dict[str, Any])

    async def records(self, started: asyncio.Event | None = None) -> AsyncGenerator[Seen]:
        """Without end. `started` is set when nothing is missed any more."""
        read_bounded()
        watch = Watch(self.namespace)
        async with AIOKafkaConsumer(
            bootstrap_servers=self.admin.servers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=_FETCH_MS,
            **self.security,
        ) as consumer:
            places = await self._places()
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            for place in places:
                await consumer.position(place)
            if started is not None:
                started.set()
            while True:
                found = await consumer.getmany(timeout_ms=_POLL_MS)
                every = [each for of in found.values() for each in of]
                for record in sorted(every, key=_order):
                    seen = watch.seen(record)
                    if seen is not None and self.where(record):
                        yield seen

    async def _places(self) -> list[TopicPartition]:
        topics = (*COMMAND_TOPICS, EVENTS, AUDIT, DEAD_LETTERS, *map(replies, self.clients))
        found = await self.admin.topics([each.name(self.namespace) for each in topics])
        if not found:
            raise ClusterError(
                f"no topic of {self.namespace} is at {self.admin.servers}. "
                "Is AUTHBUS_NAMESPACE right?"
            )
        return [
            TopicPartition(name, each)
            for name, existing in found.items()
            for each in range(existing.partitions)
        ]


def _order(record: Record) -> tuple[int, int]:
    return record.timestamp, record.offset


def _said(record: Record) -> _Said:
    """What a value in the clear says; a seal says nothing."""
    try:
        return _Said.model_validate_json(record.value or b"")
    except ValidationError:
        return _Said()


def _outcome(kind: str, type_: str, said: _Said) -> str | None:
    match kind:
        case "reply":
            return said.code if type_ == Rejected.wire_type() else "done"
        case "audit":
            return said.outcome
        case "dead letter":
            return said.reason or said.how
        case "event":
            return said.reason
        case _:
            return None


def _client(headers: Mapping[str, str]) -> str | None:
    return headers.get("ce_source", "").removeprefix("/clients/") or None


def _cause(headers: Mapping[str, str], kind: str, record: Record) -> str | None:
    if kind == "dead letter":
        return (record.key or b"").decode(errors="replace") or None
    return headers.get("ce_causationid")


def _instant(milliseconds: int) -> datetime:
    try:
        return _LONG_AGO + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return _LONG_AGO


def _time(text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _ms(passed: timedelta) -> float:
    return round(passed.total_seconds() * 1000, 1)
