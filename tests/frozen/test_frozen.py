"""What an earlier version wrote is handled and read by this one as it was then."""

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

import pytest

from authbus.client.pending import read_reply
from authbus.ended_sessions import HEARTBEAT_KEY, EndedSessions
from authbus.envelope import read_headers
from authbus.message import Message
from authbus.public_keys import PublicKeys
from authbus.replies import LoggedIn
from authbus.state import AuditRecord, SessionRevoked, UserState
from authbus.stream.events import read_event
from authbus.strict_json import read_json
from authbus.tokens import Rules, TokenChecker
from authbus.topics import AUDIT, EVENTS, SESSIONS_ENDED, USERS_STATE, Topic
from authbus.trust import Trust
from authbus_service.core.database import Database
from tests.frozen.kept import REPLIES, REPLY_KEY, Kept, Version, versions
from tests.frozen.replaying import replayed
from tests.frozen.telling import Told, differences, told

VERSIONS = [pytest.param(each, id=each.folder.name) for each in versions()]
SAID = (EVENTS, USERS_STATE, SESSIONS_ENDED, AUDIT)

pytestmark = pytest.mark.parametrize("version", VERSIONS)


def as_told(kept: Kept) -> Told:
    value = None if kept.value is None else kept.value.encode()
    return told(kept.key, kept.raw_headers, value, REPLY_KEY)


def by_key(records: Iterable[tuple[str | None, Told]]) -> dict[str | None, list[Told]]:
    """In their order, which Kafka keeps for each key."""
    found: dict[str | None, list[Told]] = defaultdict(list)
    for key, each in records:
        found[key].append(each)
    return found


def said_then(version: Version, topic: Topic) -> list[Kept]:
    """Without the signs of life that a relay gives each second."""
    return [each for each in version.records(topic) if each.key != HEARTBEAT_KEY.decode()]


def whole(message: Message) -> object:
    """What a reader has of a record, to be held against all that is in it."""
    return told(None, [], json.dumps(message.to_json()).encode(), REPLY_KEY).data


def test_every_command_of_the_version_is_among_its_records(version: Version) -> None:
    table = json.loads((version.spec / "contract.json").read_text(encoding="utf-8"))

    assert {each.kind for _, each in version.commands()} == {
        row["command"] for row in table["commands"]
    }


async def test_its_commands_are_answered_and_told_of_as_they_were_then(
    version: Version, database: Database
) -> None:
    done = await replayed(database, version)

    answers = [
        told(each.key.decode(), each.headers, each.value, REPLY_KEY) for each in done.answers
    ]
    assert differences(map(as_told, version.records(REPLIES)), answers) == []
    for topic in SAID:
        rows = (row for row in done.said if row.topic == topic.suffix)
        now = by_key((row.key, told(row.key, row.headers, row.payload, REPLY_KEY)) for row in rows)
        then = by_key((each.key, as_told(each)) for each in said_then(version, topic))
        assert then
        assert then.keys() == now.keys()
        assert [line for key in then for line in differences(then[key], now[key])] == []


def test_this_client_reads_every_answer_to_it_and_passes_over_nothing(version: Version) -> None:
    for kept in version.records(REPLIES):
        value = (kept.value or "").encode()
        reply = read_reply(read_headers(kept.raw_headers), value, REPLY_KEY)

        assert whole(reply) == as_told(kept).data


def test_this_client_reads_every_event_of_it_and_passes_over_nothing(version: Version) -> None:
    for kept in version.records(EVENTS):
        event = read_event(kept.record(EVENTS))

        assert event.known
        assert whole(event.data) == as_told(kept).data


@pytest.mark.parametrize(
    ("topic", "model"),
    [(USERS_STATE, UserState), (SESSIONS_ENDED, SessionRevoked), (AUDIT, AuditRecord)],
)
def test_this_version_reads_every_state_of_it_and_passes_over_nothing(
    version: Version, topic: Topic, model: type[Message]
) -> None:
    for kept in said_then(version, topic):
        if kept.value is not None:
            state = model.model_validate(read_json(kept.value.encode()))

            assert whole(state) == as_told(kept).data


def test_this_client_trusts_its_keys_and_verifies_its_tokens(version: Version) -> None:
    keys, ended = PublicKeys(Trust(version.trust)), EndedSessions()
    for record in version.key_records():
        keys.read(record)
    rules = Rules("authbus/auth", "web", timedelta(seconds=5), "accept")
    verified = 0
    for kept in version.records(REPLIES):
        headers = read_headers(kept.raw_headers)
        if headers["ce_type"] == LoggedIn.wire_type():
            reply = read_reply(headers, (kept.value or "").encode(), REPLY_KEY)
            assert isinstance(reply, LoggedIn)
            checker = TokenChecker(rules, keys, ended, lambda at=kept.at: at)
            claims = checker.verify(reply.access_token.get_secret_value())
            assert claims.session_id == reply.session_id
            verified += 1

    assert keys.newest_sealing(version.records(REPLIES)[0].at) is not None
    assert verified > 4
