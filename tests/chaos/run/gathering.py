"""From what was lived and what lies on the servers to the history that the checker reads."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from authbus import Reply, topics
from authbus.base64url import decode
from authbus.envelope import read_headers
from authbus.state import UserStatus
from authbus.topics import Topic
from tests.chaos.checker.history import (
    Account,
    Answer,
    Call,
    Handled,
    Logged,
    Message,
    Row,
    Session,
    Told,
)
from tests.chaos.checker.kinds import REJECTED
from tests.chaos.run.client import Asked, Client
from tests.chaos.run.looker import short
from tests.chaos.run.stage import NAMESPACE, Stage

# What the relay says; its heartbeats are no rows, and its own memory is no message.
SAID = (topics.EVENTS, topics.USERS_STATE, topics.SESSIONS_ENDED, topics.AUDIT)
_SAID = frozenset(topic.suffix for topic in SAID)
_ALIVE = "FeedAlive"


async def on_topics(
    servers: str, wanted: Sequence[Topic], isolation: str = "read_uncommitted"
) -> list[ConsumerRecord[Any, Any]]:
    """All that such a reader gets, each partition in order."""
    places = [
        TopicPartition(topic.name(NAMESPACE), n)
        for topic in wanted
        for n in range(topic.partitions)
    ]
    found: list[ConsumerRecord[Any, Any]] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, isolation_level=isolation, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        while any([await consumer.position(each) < ends[each] for each in places]):
            for records in (await consumer.getmany(timeout_ms=50)).values():
                found += records
    return found


def told(records: Iterable[ConsumerRecord[Any, Any]]) -> tuple[Told, ...]:
    found: list[Told] = []
    for each in records:
        headers = read_headers(each.headers)
        message = message_of(
            headers.get("ce_id", ""),
            short(each.topic),
            (each.key or b"").decode(),
            headers,
            each.value,
        )
        if message.kind != _ALIVE:
            found.append(Told(each.partition, each.offset, message))
    return tuple(found)


def message_of(
    id_: str, topic: str, key: str, headers: Mapping[str, str], payload: bytes | None
) -> Message:
    """The same for a row and for a record; its type is the header's."""
    kind = headers.get("ce_type", "").split(".")
    data: dict[str, Any] = json.loads(payload or b"{}")
    is_event = topic == topics.EVENTS.suffix
    return Message(
        id=id_,
        topic=topic,
        key=key,
        kind=kind[1] if len(kind) > 1 else "",
        digest=_digest(payload or b""),
        cause=headers.get("ce_causationid", ""),
        user=data["user_id"] if is_event else "",
        sequence=data["sequence"] if is_event else 0,
        session=data.get("session_id", "") if is_event else "",
        reason=data.get("reason", "") if is_event else "",
    )


def calls(clients: Iterable[Client]) -> tuple[Call, ...]:
    """Each command as its client lived it."""
    return tuple(_call(client, each) for client in clients for each in client.asked.values())


def _call(client: Client, asked: Asked) -> Call:
    code = getattr(asked.decided, "code", "")
    session = getattr(asked.decided, "session_id", asked.session)
    return Call(
        id=str(asked.draft.id),
        kind=asked.kind,
        client=client.client,
        subject=asked.subject,
        invoked=asked.invoked,
        returned=asked.returned,
        ended="unknown" if asked.decided is None else "refused" if code else "ok",
        code=str(code),
        session=str(session),
        password=asked.password,
        new_password=asked.new_password,
        reply_topic=short(client.reply_topic),
    )


def answers(clients: Sequence[Client]) -> tuple[Answer, ...]:
    """Every answer, opened by whoever asked; of nobody's command nothing can be opened."""
    asked = {str(id_): each for client in clients for id_, each in client.asked.items()}
    found: list[Answer] = []
    for client in clients:
        for command, records in client.all_heard.items():
            for each in records:
                headers = read_headers(each.headers)
                reply = client.read(each, asked[command].draft) if command in asked else None
                found.append(_answer(command, headers, short(each.topic), reply))
    return tuple(found)


def _answer(command: str, headers: Mapping[str, str], topic: str, reply: Reply | None) -> Answer:
    return Answer(
        command=command,
        correlation=headers.get("correlation_id", ""),
        topic=topic,
        kind=type(reply).__name__,
        code=str(getattr(reply, "code", "")),
        session=str(getattr(reply, "session_id", "")),
        user=str(getattr(reply, "user_id", "")),
        meaning="" if reply is None else _meaning(reply.to_json()),
    )


def _meaning(said: dict[str, Any]) -> str:
    """All that is said; of a token its claims, since keys change while it means the same."""
    if "access_token" in said:
        said["access_token"] = decode(said["access_token"].split(".")[1]).decode()
    return _digest(json.dumps(said, sort_keys=True).encode())


async def log(stage: Stage) -> tuple[tuple[Logged, ...], dict[str, bytes]]:
    """The command topics, and all their bytes."""
    records = await on_topics(stage.servers, topics.COMMAND_TOPICS)
    logged = tuple(
        Logged(
            (short(each.topic), each.partition), each.offset, read_headers(each.headers)["ce_id"]
        )
        for each in records
    )
    return logged, texts(records)


def dead(records: Iterable[ConsumerRecord[Any, Any]]) -> frozenset[str]:
    """The commands that were buried, also those that were redriven afterwards."""
    return frozenset((each.key or b"").decode() for each in records)


def texts(records: Iterable[ConsumerRecord[Any, Any]]) -> dict[str, bytes]:
    """All bytes of each topic."""
    parts = defaultdict[str, list[bytes]](list)
    for each in records:
        parts[short(each.topic)] += [each.key or b"", each.value or b""]
        parts[short(each.topic)] += [value or b"" for _, value in each.headers]
    return {topic: b"\n".join(of) for topic, of in parts.items()}


async def tables(stage: Stage) -> dict[str, Any]:
    """The fields of a history that come from the database."""
    async with stage.database() as db:
        book = await db.fetch("SELECT * FROM chaos.book ORDER BY position")
        waiting = await db.fetch("SELECT id, aggregatetype FROM outbox")
        inbox = await db.fetch(
            "SELECT id, outcome->>'type' AS type, outcome->'data'->>'code' AS code FROM inbox"
        )
        users = await db.fetch(
            "SELECT id, sequence, status,"
            " array(SELECT canonical FROM emails WHERE user_id = users.id) AS canonical FROM users"
        )
        sessions = await db.fetch("SELECT id, user_id, ended_at IS NOT NULL AS over FROM sessions")
        erased = await db.fetch("SELECT id FROM erased_users")
        failures = await db.fetch(
            "SELECT user_id, max(n) AS n FROM (SELECT user_id, count(*) AS n FROM attempts"
            " WHERE state = 'failed' AND user_id IS NOT NULL GROUP BY user_id, key) AS of_each_key"
            " GROUP BY user_id"
        )
    return {
        "written": tuple(_row(each) for each in book if each["topic"] in _SAID),
        "waiting": frozenset(str(each["id"]) for each in waiting if each["aggregatetype"] in _SAID),
        "inbox": tuple(_handled(each) for each in inbox),
        "accounts": tuple(
            Account(
                str(each["id"]),
                each["sequence"],
                tuple(each["canonical"]),
                is_active=each["status"] == UserStatus.ACTIVE,
            )
            for each in users
        ),
        "sessions": tuple(
            Session(str(each["id"]), str(each["user_id"]), each["over"]) for each in sessions
        ),
        "erased": frozenset(str(each["id"]) for each in erased),
        "failures": {str(each["user_id"]): each["n"] for each in failures},
    }


def _row(row: Any) -> Row:
    headers = dict(json.loads(row["headers"]))
    message = message_of(str(row["id"]), row["topic"], row["key"], headers, row["payload"])
    return Row(row["position"], row["transaction"], message)


def _handled(row: Any) -> Handled:
    kind = row["type"].split(".")[1] if "." in row["type"] else row["type"]
    return Handled(str(row["id"]), kind, row["code"] or "" if kind == REJECTED else "")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]
