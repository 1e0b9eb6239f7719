"""Whatever stands in a record, opening it gives a command, a refusal or one reason."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authbus.envelope import stamp
from authbus.replies import Code, Rejected
from authbus.sealing import ReplyKey, seal
from authbus.state import DeadLetterReason
from authbus_service.auth.guessing.attempt import Attempt
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.opening import Opened, Opener
from authbus_service.consumers.route import answer_of
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.ids import id_time, new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters
from tests.rig.made import MASTERS, NOW, an_arrival

Json = dict[str, Any]
ID = new_id()
AT = id_time(ID) or NOW
REPLY_KEY = ReplyKey()
RIGHT: Json = {
    "specversion": "1.0",
    "id": str(ID),
    "type": "authbus.LogIn.v1",
    "source": "/clients/web",
    "time": stamp(AT),
    "expirytime": stamp(AT + timedelta(minutes=5)),
    "reply_to": "auth.replies.web",
    "reply_key": dict(REPLY_KEY.public),
    "data": {"email": "ana@example.com", "password": "correct horse battery"},
}
ODD = [0, 1, -1, 2**63 - 1, 1e308, True, None, "", "\0", "\U0010ffff", [], {}, [[[]]], {"": ""}]
ODD_TIMES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "-1", 1e17]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def opener() -> Opener:
    keyring = KeyRing(MASTERS)
    keyring.load(first_keys(AT, MASTERS))
    return Opener(keyring, EMBEDDED_CLIENTS, "auth")


def arrived(value: bytes, *, at: datetime = AT) -> Arrival:
    headers = [("ce_id", str(ID).encode())]
    return replace(an_arrival(0), value=value, headers=headers, appended_at=at)


def sealed(opener: Opener, payload: bytes) -> bytes:
    assert isinstance(opener.keys, KeyRing)
    jwk = next(each.jwk for each in opener.keys.public_records() if each.use == "enc")
    return seal(payload, jwk)


def opened(opener: Opener, value: bytes, *, at: datetime = AT) -> Opened | DeadLetterReason:
    """What becomes of a value. Any error but one is the test's failure."""
    arrival = arrived(value, at=at)
    try:
        found = opener.open(arrival, read_labels(arrival))
    except UnreadableError as error:
        return error.reason
    assert (found.command is not None) or (found.refusal is not None)
    said = found.refusal or Rejected.because(Code.EXPIRED)
    assert answer_of(found.route, said, AT) is None or found.route.topic == "auth.replies.web"
    if found.command is not None:
        assert found.request(MASTERS).expires_at.year >= 1970
    return found


def changed(opener: Opener, **fields: Any) -> Opened | DeadLetterReason:
    return opened(opener, sealed(opener, json.dumps({**RIGHT, **fields}).encode()))


def test_a_right_record_is_a_command(opener: Opener) -> None:
    found = changed(opener)

    assert isinstance(found, Opened)
    assert found.refusal is None


@pytest.mark.parametrize("name", RIGHT)
@pytest.mark.parametrize("odd", [*ODD, *ODD_TIMES], ids=ascii)
def test_any_field_may_be_odd(opener: Opener, name: str, odd: Any) -> None:
    changed(opener, **{name: odd})


@settings(max_examples=150)
@given(st.sampled_from([*RIGHT, "correlation_id", "reply_partition", "is_admin"]), JSON)
@example("data", {"email": "\ud800"})
def test_any_field_may_hold_any_json(opener: Opener, name: str, value: Any) -> None:
    changed(opener, **{name: value})


@settings(max_examples=150)
@given(JSON)
def test_the_data_of_a_command_may_be_any_json(opener: Opener, value: Any) -> None:
    for type_ in ("LogIn", "LogOut", "RegisterUser"):
        for data in (value, {**RIGHT["data"], "session_id": value, "email": value}):
            changed(opener, type=f"authbus.{type_}.v1", data=data)


@settings(max_examples=150)
@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@example(b"[" * 45_000)
@example(b'{"a":' * 9_000)
@example(b"\xef\xbb\xbf{}")
@example(b'{"id":' + b"9" * 40_000)
def test_a_seal_may_be_around_any_bytes(opener: Opener, payload: bytes) -> None:
    outcome = opened(opener, sealed(opener, payload))

    assert outcome in {
        DeadLetterReason.BAD_JSON,
        DeadLetterReason.BAD_ENVELOPE,
        DeadLetterReason.NOT_SEALED,
    }


@settings(max_examples=150)
@given(st.binary(max_size=300) | st.from_regex(rb"e[\w-]{1,60}\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}"))
@example(b"." * 65_536)
@example(b"[" * 100_000)
@example(b"a" * 65_537)
def test_a_value_may_be_any_bytes(opener: Opener, value: bytes) -> None:
    assert isinstance(opened(opener, value), DeadLetterReason)


@settings(max_examples=150)
@given(st.data())
def test_a_seal_with_any_byte_changed_opens_for_nobody(opener: Opener, data: st.DataObject) -> None:
    value = bytearray(sealed(opener, json.dumps(RIGHT).encode()))
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != value[at]))

    value[at] = other

    assert isinstance(opened(opener, bytes(value)), DeadLetterReason)


@pytest.mark.parametrize(("minutes", "stale"), [(9.9, False), (10.1, True)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_id_is_stale_ten_minutes_off_its_append_time(
    opener: Opener, minutes: float, sign: int, *, stale: bool
) -> None:
    value = sealed(opener, json.dumps(RIGHT).encode())

    found = opened(opener, value, at=AT + sign * timedelta(minutes=minutes))

    assert isinstance(found, Opened)
    assert (found.refusal == Rejected.because(Code.STALE_ID)) is stale
    assert found.command is not None  # so that a copy of a handled record is answered again


def test_secrets_of_a_record_stay_out_of_what_is_printed(opener: Opener) -> None:
    canary = "correct horse battery"

    found = changed(opener)

    assert canary not in repr(found)
    assert isinstance(found, Opened)
    assert canary not in repr(found.request(MASTERS))


def test_a_command_that_is_sealed_anew_under_a_later_master_is_the_same_guess() -> None:
    old, new = bytes(range(32)), bytes(range(32, 64))
    masters = Masters([new, old])
    opened = Opener(KeyRing(masters), EMBEDDED_CLIENTS, "auth")
    payload, arrival = json.dumps(RIGHT).encode(), arrived(b"")

    def guess(master: str) -> Attempt:
        found = opened.read(arrival, read_labels(arrival), payload, master)
        return found.request(masters).attempt(b"at what")

    before, after = masters.names[1], masters.names[0]
    assert guess(before) == guess(after)
