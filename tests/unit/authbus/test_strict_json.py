"""Bytes from outside become one bounded object with one meaning, or one word of refusal."""

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authbus.strict_json import JsonError, read_json

SECRET = "canary-7f3a"


def reason(data: bytes, **bounds: int) -> str:
    with pytest.raises(JsonError) as raised:
        read_json(data, **bounds)
    error: BaseException | None = raised.value
    while error is not None:
        assert SECRET not in f"{error} {error!r} {error.__dict__}"
        error = error.__cause__ or error.__context__
    return raised.value.reason


# Each is named by its place: texts of this kind are no names.
REFUSED = [
    (b'{"a":"' + SECRET.encode() + b'\xff"}', "encoding"),
    (b'\xef\xbb\xbf{"a":1}', "encoding"),
    ('{"a":1}'.encode("utf-16"), "encoding"),
    (b'{"a":"\xed\xa0\x80"}', "encoding"),
    (b'{"a":NaN}', "number"),
    (b'{"a":-Infinity}', "number"),
    (b'{"a":1e999}', "number"),
    (b'{"a":' + b"1" * 5000 + b"}", "number"),
    (b'{"a":9223372036854775808}', "number"),
    (b'{"a":1,"b":{"x":1,"x":2}}', "duplicate"),
    (b'{"a":1,"\\u0061":2}', "duplicate"),
    (b'{"a":"\\ud800"}', "surrogate"),
    (b'{"\\udfff":1}', "surrogate"),
    (b'{"a":1} {"b":2}', "syntax"),
    (b'{"a":"' + SECRET.encode(), "syntax"),
    (b"{'a':1}", "syntax"),
    (b'{"a":1,}', "syntax"),
    (b'{"a":"\n"}', "syntax"),
    (b"", "syntax"),
    (b"[1]", "not_object"),
    (b'"text"', "not_object"),
    (b"[" * 60_000, "depth"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "depth"),
    (b'{"a":"' + b"x" * 70_000 + b'"}', "size"),
]


@pytest.mark.parametrize(("data", "why"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_what_is_not_acceptable_is_refused_with_its_reason_and_never_echoed(
    data: bytes, why: str
) -> None:
    assert reason(data) == why


def test_nesting_a_hundred_thousand_deep_is_refused_before_it_is_parsed() -> None:
    for deep in (b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"[" * 100_000):
        assert reason(deep, max_bytes=1_000_000) == "depth"


def test_brackets_inside_a_text_are_no_depth() -> None:
    data = json.dumps({"a": '[[{"' * 100 + "\\"}).encode()

    assert read_json(data) == json.loads(data)


def test_depth_is_counted_up_to_its_bound_and_not_further() -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert read_json(nested(32))
    assert reason(nested(33)) == "depth"


HOSTILE = {
    "quotes": b'"' * 65_000,
    "escapes": b'{"a":"' + b'\\"' * 30_000 + b"\\",
    "brackets": b"[]" * 32_000,
    "both": b'"\\' * 32_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(kind: str) -> None:
    started = time.process_time()

    reason(HOSTILE[kind])

    assert time.process_time() - started < 0.1


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with suppress(JsonError):
        read_json(data)


SCALARS = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text()
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.booleans())
def test_every_ordinary_object_is_read_as_it_is(value: dict[str, object], ascii_only: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value
