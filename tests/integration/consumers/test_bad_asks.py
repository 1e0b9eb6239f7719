"""Whatever a right seal holds: a refusal for its producer or a dead letter, never both or none."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from authbus.envelope import stamp
from authbus.replies import Rejected
from authbus.sealing import ReplyKey
from authbus_service.core.ids import new_id
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft, Producer

pytestmark = pytest.mark.asyncio(loop_scope="module")

Json = dict[str, Any]
Change = Callable[[Json], object]
DATA = {"email": "ana@example.com", "password": "not the right one"}
HANDLED = "invalid_credentials"
FAR = [[[[[[["deep"]]]]]]]
PRIVATE = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}


def asking(
    web: Producer, change: Change, *, topic: str = "credentials", id_: UUID | None = None
) -> Draft:
    """A record with one right label, whose sealed payload is changed."""
    reply_key = ReplyKey()
    command_id, now = id_ or new_id(), datetime.now(UTC)
    payload: Json = {
        "specversion": "1.0",
        "id": str(command_id),
        "type": "authbus.LogIn.v1",
        "source": "/clients/web",
        "time": stamp(now),
        "expirytime": stamp(now + timedelta(minutes=5)),
        "reply_to": web.reply_topic,
        "reply_key": dict(reply_key.public),
        "data": dict(DATA),
    }
    change(payload)
    headers = [("ce_id", str(command_id).encode())]
    full = f"{web.namespace}.commands.{topic}.v1"
    draft = Draft(full, b"k", b"", headers, command_id, reply_key)
    return web.around(json.dumps(payload).encode(), draft)


def put(**fields: Any) -> Change:
    return lambda payload: payload.update(fields)


def left_out(name: str) -> Change:
    return lambda payload: payload.pop(name)


def data(**fields: Any) -> Change:
    return lambda payload: payload["data"].update(fields)


def register(**fields: Any) -> Change:
    new = {"email": "new@example.com", "password": "correct horse battery", **fields}
    return put(type="authbus.RegisterUser.v1", data=new)


def seconds_from_now(seconds: float) -> str:
    return stamp(datetime.now(UTC) + timedelta(seconds=seconds))


def expiring(seconds: float) -> Change:
    return lambda payload: payload.update(expirytime=seconds_from_now(seconds))


ENVELOPES: dict[str, tuple[Change, str]] = {
    "nothing changed": (put(), HANDLED),
    "a field more": (put(is_admin=True), "bad_envelope"),
    "no source": (left_out("source"), "bad_envelope"),
    "no expiry": (left_out("expirytime"), "bad_envelope"),
    "no data": (left_out("data"), "bad_envelope"),
    "data is a list": (put(data=[]), "bad_envelope"),
    "data is null": (put(data=None), "bad_envelope"),
    "specversion 2": (put(specversion="2.0"), "bad_envelope"),
    "id is a number": (put(id=17), "bad_envelope"),
    "id is true": (put(id=True), "bad_envelope"),
    "time without a zone": (put(time="2026-01-02T03:04:05"), "bad_envelope"),
    "time is no time": (put(time="tomorrow"), "bad_envelope"),
    "expiry is a list": (put(expirytime=[]), "bad_envelope"),
    "type is a number": (put(type=1), "bad_envelope"),
    "type is long": (put(type="t" * 257), "bad_envelope"),
    "partition below 0": (put(reply_partition=-1), "bad_envelope"),
    "partition is text": (put(reply_partition="first"), "bad_envelope"),
    "partition that is not there": (put(reply_partition=7), HANDLED),
    "partition is true": (put(reply_partition=True), HANDLED),
    "partition is huge": (put(reply_partition=2**62), HANDLED),
    "partition is over 64 bits": (put(reply_partition=2**64), "bad_json"),
    "reply key holds numbers": (put(reply_key={"x": 1}), "bad_envelope"),
    "reply key is text": (put(reply_key="key"), "bad_envelope"),
    "source of nobody": (put(source="/clients/nobody"), "unknown_client"),
    "source with slashes": (put(source="/clients//web"), "unknown_client"),
    "source with dots": (put(source="/clients/../web"), "unknown_client"),
    "source with a slash behind": (put(source="/clients/web/"), "unknown_client"),
    "source without its folder": (put(source="web"), "unknown_client"),
    "source of U+0000": (put(source="/clients/web\0"), "unknown_client"),
    "correlation of U+0000": (put(correlation_id="\0\r\n\x1b[2J"), HANDLED),
    "correlation empty": (put(correlation_id=""), HANDLED),
    "time long ago": (put(time="0001-01-01T00:00:00+14:00"), HANDLED),
}
ROUTES: dict[str, Change] = {
    "to the events": lambda payload: payload.update(
        reply_to=payload["reply_to"].replace("replies.web", "events.v1")
    ),
    "to another client": lambda payload: payload.update(
        reply_to=payload["reply_to"].replace("web", "demo")
    ),
    "to the audit of another namespace": put(reply_to="auth.audit.v1"),
    "to a topic that is not there": put(reply_to="nowhere"),
    "to no legal name": put(reply_to="../../etc/passwd"),
    "to an empty name": put(reply_to=""),
}
ASKS: dict[str, tuple[Change, str]] = {
    "unknown type": (put(type="authbus.DropTable.v1"), "unknown_type"),
    "unknown version": (put(type="authbus.LogIn.v99"), "unknown_type"),
    "no type": (put(type=""), "unknown_type"),
    "an event's type": (put(type="authbus.UserCreated.v1"), "unknown_type"),
    "a field more": (data(is_admin=True), "invalid"),
    "a field too deep": (data(email=FAR), "invalid"),
    "address is a number": (data(email=5), "invalid"),
    "address is true": (data(email=True), "invalid"),
    "password is null": (data(password=None), "invalid"),
    "password is a number": (data(password=12345678), "invalid"),
    "password has U+0000": (data(password="correct\0horse battery"), "invalid"),
    "password is huge": (data(password="p" * 40_000), "invalid"),
    "address is huge": (data(email="a" * 30_000 + "@b.c"), "invalid"),
    "address has U+0000": (data(email="ana\0@example.com"), HANDLED),
    "new address has U+0000": (register(email="ana\0@example.com"), "email_invalid"),
    "new password has U+0000": (register(password="correct\0horse battery"), "invalid"),
    "new account with rights": (register(roles=["admin"]), "invalid"),
    "expired": (expiring(-1), "expired"),
    "expired in the year 1": (put(expirytime="0001-01-01T00:00:00+14:00"), "expired"),
    "expiry too far": (expiring(16 * 60), "invalid"),
    "expiry in the year 9999": (put(expirytime="9999-12-31T23:59:59-14:00"), "invalid"),
    "no reply key for tokens": (left_out("reply_key"), "invalid"),
    "an empty reply key": (put(reply_key={}), "invalid"),
    "a private reply key": (put(reply_key=PRIVATE), "invalid"),
    "a reply key off the curve": (put(reply_key={**PRIVATE, "x": "AQ"}), "invalid"),
    "a reply key of U+0000": (put(reply_key={"kty": "\0"}), "invalid"),
}
IDS: dict[str, Callable[[], UUID]] = {
    "version 4": uuid4,
    "nil": lambda: UUID(int=0),
    "all ones": lambda: UUID(int=2**128 - 1),
    "version 8": lambda: UUID(int=(new_id().int & ~(0xF << 76)) | 8 << 76),
    "eleven minutes old": lambda: id_at(-660),
    "eleven minutes ahead": lambda: id_at(660),
    "of 1970": lambda: id_at(-datetime.now(UTC).timestamp()),
    "after the year 9999": lambda: UUID(int=(2**48 - 1) << 80 | 7 << 76 | 2 << 62),
}


def id_at(seconds: float) -> UUID:
    """A UUIDv7 of a time so many seconds from now."""
    moment = int((datetime.now(UTC).timestamp() + seconds) * 1000)
    return UUID(int=moment << 80 | new_id().int & (1 << 80) - 1)


@pytest.mark.parametrize("name", ENVELOPES)
async def test_an_envelope_is_read_or_its_record_is_buried(watch: Watch, name: str) -> None:
    change, expected = ENVELOPES[name]

    assert await _outcomes(watch, change) == {expected}


@pytest.mark.parametrize("name", ROUTES)
async def test_an_answer_goes_to_its_clients_own_topic_or_nowhere(watch: Watch, name: str) -> None:
    assert await _outcomes(watch, ROUTES[name]) == {"reply_not_allowed"}


@pytest.mark.parametrize("name", ASKS)
async def test_what_cannot_be_asked_is_refused_with_its_code(watch: Watch, name: str) -> None:
    change, expected = ASKS[name]

    assert await _outcomes(watch, change) == {expected}


@pytest.mark.parametrize("name", IDS)
async def test_an_id_that_is_no_uuidv7_of_now_is_refused(watch: Watch, name: str) -> None:
    web = watch.world.web

    outcome = await watch.between(asking(web, put(), id_=IDS[name]()))

    assert outcome == "stale_id"


async def test_a_wrong_topic_is_told_the_right_one(watch: Watch) -> None:
    draft = asking(watch.world.web, put(), topic="sessions")

    outcome = await watch.between(draft)

    (answer,) = await watch.world.web.heard(draft, 1)
    assert outcome == "wrong_topic"
    assert isinstance(answer, Rejected)
    assert f"{watch.world.namespace}.commands.credentials.v1" in answer.detail


async def test_a_refusal_names_no_field_that_was_made_up(watch: Watch) -> None:
    draft = asking(watch.world.web, data(**{"my secret as a name": 1, "email": 5}))

    await watch.outcome(draft)

    (answer,) = await watch.world.web.heard(draft, 1)
    assert isinstance(answer, Rejected)
    assert answer.detail == "a field: extra_forbidden; email: string_type"


async def _outcomes(watch: Watch, change: Change) -> set[str]:
    web = watch.world.web
    return {
        await watch.outcome(asking(web, change)),
        await watch.between(asking(web, change)),
    }
