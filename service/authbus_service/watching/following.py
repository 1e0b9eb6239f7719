"""`authbus watch`: records as they come, each with its ids, its outcome and how long it took.

Nothing is opened and nothing is committed: it shows what stands in the clear.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiokafka import TopicPartition
from pydantic import BaseModel, ConfigDict, ValidationError

from authbus.envelope import client_of, read_headers
from authbus.replies import Rejected
from authbus.state import FeedAlive
from authbus.topics import AUDIT, COMMAND_TOPICS, DEAD_LETTERS, EVENTS, replies
from authbus_service.cluster import Admin, ClusterError
from authbus_service.consumers.bounded import poll
from authbus_service.core.clock import at_ms
from authbus_service.reading.ranges import reader
from authbus_service.reading.records import Record, Where, short
from authbus_service.watching.lately import Came, Lately
from authbus_service.watching.silence import Silence

_POLL_MS = 100
_FETCH_MS = 50
_AT_ONCE = 2000


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
class Sighting:
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
class Follower:
    """Shows what is asked for, and what comes of each command that is.

    Answers, events and audits have other headers than their command, and do not tell its time.
    """

    namespace: str
    where: Where = field(default_factory=Where)
    _lately: Lately = field(default_factory=Lately)

    def shown(self, together: Iterable[Record]) -> Iterator[Sighting]:
        """What to show of records that came together, in the order of their times.

        All their commands are known first: by the clock that stamped it an answer may be earlier.
        """
        every = sorted(together, key=_order)
        for each in every:
            self._note(each)
        yield from filter(None, map(self._seen, every))

    def _note(self, record: Record) -> None:
        command_id = read_headers(record.headers).get("ce_id")
        if self._kind(record.topic) == "command" and command_id is not None:
            self._lately.note(command_id, Came(at_ms(record.timestamp), self.where(record)))

    def _seen(self, record: Record) -> Sighting | None:
        headers = read_headers(record.headers)
        kind, at = self._kind(record.topic), at_ms(record.timestamp)
        type_ = headers.get("ce_type", "")
        if type_ == FeedAlive.wire_type():
            return None
        command_id = headers.get("ce_id") if kind == "command" else _cause(headers, kind, record)
        came = self._lately.of(command_id)
        if not (self.where(record) or (came is not None and came.is_asked_for)):
            return None
        said = _said(record)
        return Sighting(
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
            after_ms=_stages(kind, at, _time(headers.get("ce_time")), came),
        )

    def _kind(self, topic: str) -> str:
        suffix = topic.removeprefix(f"{self.namespace}.")
        names = {AUDIT.suffix: "audit", EVENTS.suffix: "event", DEAD_LETTERS.suffix: "dead letter"}
        if suffix in {each.suffix for each in COMMAND_TOPICS}:
            return "command"
        return names.get(suffix, "reply")


@dataclass(frozen=True, slots=True)
class Watching:
    """Follows one namespace and the replies of these clients from now on."""

    admin: Admin
    namespace: str
    clients: Sequence[str]
    where: Where

    async def records(
        self, started: Callable[[], None], silent: Callable[[bool], None]
    ) -> AsyncGenerator[Sighting]:
        """Without end. `started` is called when nothing is missed any more.

        `silent` is told when Kafka does not answer, and when it does again: it is waited for.
        """
        follower, silence = Follower(self.namespace, self.where), Silence(silent)
        latest = reader(self.admin, auto_offset_reset="latest", fetch_max_wait_ms=_FETCH_MS)
        async with latest as consumer:
            places = await self._places()
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            for place in places:
                await consumer.position(place)
            started()
            while True:
                found: list[Record] = []
                await poll(consumer, into=found, wait_ms=_POLL_MS, at_once=_AT_ONCE)
                silence.look(consumer)
                for seen in follower.shown(found):
                    yield seen
                    silence.away()

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


def _stages(
    kind: str, at: datetime, said_at: datetime | None, came: Came | None
) -> dict[str, float]:
    if kind == "command":
        return {} if said_at is None else {"sent": _ms(at - said_at)}
    written = {"reply": "answered", "event": "told", "audit": "told"}.get(kind)
    if came is None or written is None:
        return {}
    stages = {written: _ms(at - came.at)}
    if said_at is not None and kind in {"event", "audit"}:
        stages = {"decided": _ms(said_at - came.at), **stages}
    return stages


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
    return client_of(headers.get("ce_source", "")) or None


def _cause(headers: Mapping[str, str], kind: str, record: Record) -> str | None:
    if kind == "dead letter":
        return (record.key or b"").decode(errors="replace") or None
    return headers.get("ce_causationid")


def _time(text: str | None) -> datetime | None:
    try:
        at = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at is not None and at.tzinfo is not None else None


def _ms(passed: timedelta) -> float:
    return round(passed.total_seconds() * 1000, 1)
