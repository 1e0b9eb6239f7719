"""How much a profile may hold, and in which characters."""

from typing import Any

import pytest
from pydantic import ValidationError

from authbus.commands import UpdateProfile


def update(**fields: Any) -> UpdateProfile:
    return UpdateProfile.model_validate({"access_token": "t", "profile_version": 0, **fields})


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth - 1):
        found = {"in": found}
    return found


GOOD = [
    ("display_name", "Ana"),
    ("display_name", "  O'Brien, Ana  "),
    ("display_name", "علی\u200cرضا"),
    ("display_name", "👩\u200d🚀" * 40),
    ("display_name", "'; DROP TABLE users; -- %s {0.__class__} ${jndi:ldap://x}"),
    ("locale", "zh-Hant-TW"),
    ("time_zone", "America/Argentina/Buenos_Aires"),
    ("picture_url", "https://cdn.example.com:8443/a/b.png?size=64#x"),
    ("picture_url", "https://example.com/" + "a" * 1004),
    ("attributes", {}),
    ("attributes", nested(4)),
    ("attributes", {"a" * 64: [1, 1.5, None, True, "\\u0000", "🚀"]}),
    ("attributes", {str(each): each for each in range(64)}),
    ("attributes", {"a": "x" * 4088}),
    ("attributes", {"a": -(2**63) + 1, "b": 1e308}),
]
BAD = [
    ("display_name", ""),
    ("display_name", " \u3000"),
    ("display_name", "A" * 201),
    ("display_name", "Ana\0"),
    ("display_name", "Ana\nBea"),
    ("display_name", "\x1b[31mAna"),
    ("display_name", "\u202eanA"),
    ("display_name", "Ana\u2028"),
    ("display_name", "Ana\ud800"),
    ("display_name", 7),
    ("display_name", ["Ana"]),
    ("locale", "en_US"),
    ("locale", "en-"),
    ("locale", ""),
    ("locale", "en\n"),
    ("locale", "a-" * 20 + "a"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", "/Europe/Berlin"),
    ("time_zone", "A" * 65),
    ("time_zone", ""),
    ("picture_url", "http://example.com/a.png"),
    ("picture_url", "javascript:alert(1)"),
    ("picture_url", "https://"),
    ("picture_url", "https://user:secret@example.com/"),
    ("picture_url", "https://example.com\\@evil.example/"),
    ("picture_url", "https://example.com/a b"),
    ("picture_url", 'https://example.com/"><script>'),
    ("picture_url", "https://example.com/\r\nSet-Cookie: a=b"),
    ("picture_url", "https://ex\u0430mple.com/"),
    ("picture_url", "https://example.com/" + "a" * 1005),
    ("attributes", []),
    ("attributes", "{}"),
    ("attributes", nested(5)),
    ("attributes", {"a": {"b": [[[]]]}}),
    ("attributes", {"a": "x" * 4089}),
    ("attributes", {str(each): each for each in range(65)}),
    ("attributes", {"in": {str(each): each for each in range(64)}}),
    ("attributes", {"a" * 65: 1}),
    ("attributes", {"in": {"a" * 65: 1}}),
    ("attributes", {"a\0": 1}),
    ("attributes", {"a": ["\0"]}),
    ("attributes", {"a": "\ud800"}),
    ("attributes", {"\udc00": 1}),
    ("attributes", {"a": 2**63}),
    ("attributes", {"a": float("nan")}),
    ("attributes", {"a": float("-inf")}),
    ("attributes", {"a": object()}),
    ("attributes", {"a": nested(3000)}),
    ("profile_version", -1),
    ("profile_version", True),
    ("profile_version", "0"),
    ("profile_version", 1.0),
    ("profile_version", 2**31),
    ("profile_version", None),
    ("is_admin", True),
    ("roles", ["admin"]),
]


@pytest.mark.parametrize(("field", "value"), GOOD)
def test_what_is_within_bounds_is_kept_as_it_is(field: str, value: object) -> None:
    assert update(**{field: value}).to_json()[field] == value


@pytest.mark.parametrize(("field", "value"), BAD)
def test_what_is_out_of_bounds_is_refused_and_not_repeated(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        update(**{field: value})

    assert field in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_null_is_sent_and_what_is_left_out_is_not() -> None:
    sent = update(locale=None, attributes={"a": None}).to_json()

    assert sent == {
        "access_token": "t",
        "profile_version": 0,
        "locale": None,
        "attributes": {"a": None},
    }


def test_no_value_is_in_a_repr() -> None:
    shown = repr(update(display_name="Ana", locale="pt", attributes={"shoe": 38}))

    assert shown == "UpdateProfile(profile_version=0)"
