"""A log line is one JSON object, says what happened, and repeats no secret and no foreign text."""

import json
import logging
import sys
import threading
import warnings
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from authbus_service.core.config import ConfigError
from authbus_service.core.log_values import as_json, as_text, clean
from authbus_service.core.logging import bind, configure, get_logger, library_logger
from tests.rig.logs import Lines

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl"
HOSTILE = [
    'a\r\n{"level":"error"}',
    "\x1b[2J\x1b]0;title\x07",
    "\u202egnp.exe",
    "\ud800",
    "\0",
    "\u2028",
    "%s%n{0.__class__}${jndi:ldap://x}",
    "x" * 100_000,
]


def test_a_line_has_time_level_event_module_and_what_the_task_bound(lines: Lines) -> None:
    with bind(command_id="c1"):
        get_logger("authbus_service.relay").info("published", count=3)
    get_logger("authbus_service.relay").debug("asleep")

    first, second = lines.read_all()

    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "event": "published",
        "module": "authbus_service.relay",
        "command_id": "c1",
        "count": 3,
    }
    assert "command_id" not in second


@pytest.mark.parametrize(
    "name",
    [
        *("password", "new_password", "access_token", "Authorization", "secret", "master"),
        *("private_key", "reply_key", "key", "jwk", "password_hash", "set-cookie", "email"),
    ],
)
def test_names_that_sound_secret_are_masked_at_any_depth(lines: Lines, name: str) -> None:
    get_logger("x").info("told", **{name: "hunter2"}, nested={"a": [{name: "hunter2"}]})

    assert "hunter2" not in lines.getvalue()
    assert lines.read_all()[0][name] == "[hidden]"


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        (TOKEN, "c2ln"),
        (f"Bearer {TOKEN}", "c2ln"),
        ("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$dGFn", "dGFn"),
        ("postgresql://authbus:hunter2@db:5432/authbus", "hunter2"),
        ("postgresql://db:5432/authbus?user=authbus&password=hunter2&x=y", "hunter2"),
        ("no account for ana@example.com here", "ana@"),
        (SecretStr("hunter2"), "hunter2"),
        (b"hunter2", "hunter2"),
        (ValueError("hunter2"), "hunter2"),
    ],
)
def test_values_that_look_secret_are_masked_under_any_name_and_in_the_event(
    lines: Lines, value: object, secret: str
) -> None:
    get_logger("x").info("told", detail=value)
    get_logger("x").info(str(value) if isinstance(value, str) else "told")

    assert secret not in lines.getvalue()
    assert len(lines.read_all()) == 2


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_stays_one_short_json_line_of_printable_ascii(
    lines: Lines, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    # pytest keeps what it hears for its report, which cannot carry a lone surrogate.
    for handler in logging.getLogger().handlers:
        if isinstance(handler, type(caplog.handler)):
            handler.setLevel(logging.CRITICAL)

    get_logger("x").warning(text, value=text, values=[text], table={text: text})
    library_logger("aiokafka").warning("got %s", text)

    assert len(lines.read_all()) == 2
    assert all(" " <= char <= "~" for char in lines.getvalue().replace("\n", ""))
    assert len(lines.getvalue()) < 6 * 256 * 8


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(), json_values, max_size=5))
@example({"x": float("nan")})
def test_whatever_is_logged_is_one_line_of_valid_json_or_text(values: dict[str, Any]) -> None:
    cleaned = clean(values)

    written, said = (
        as_json(cleaned),
        as_text(cleaned | {"time": "t", "level": "info", "event": "e"}),
    )

    assert written.isascii()
    assert isinstance(json.loads(written), dict)
    assert said.isascii()
    assert not {"\n", "\r", "\x1b"} & set(written + said)


def test_text_is_for_a_person_and_as_safe(lines: Lines) -> None:
    configure("text", "info", lines)

    get_logger("x").info("two words", name="a\nb", password="hunter2", count=2)

    said = lines.getvalue()
    assert said.endswith('info    two words module=x name="a\\nb" password=[hidden] count=2\n')


def fail_inside() -> None:
    try:
        {}["hunter2"]
    except KeyError as error:
        raise ValueError("hunter2 again") from error


def test_of_a_foreign_exception_class_and_place_are_told_and_no_text(lines: Lines) -> None:
    try:
        fail_inside()
    except ValueError:
        get_logger("x").exception("went wrong")

    [line] = lines.read_all()
    first, second = line["exception"]
    assert "hunter2" not in lines.getvalue()
    assert (first["error"], second["error"]) == ("ValueError", "KeyError")
    assert first["at"][0].startswith("unit/logging/test_logging.py:")
    assert first["at"][0].endswith(" fail_inside")


def test_of_our_own_exception_the_text_is_told_and_still_masked(lines: Lines) -> None:
    get_logger("x").error("refused", error=ConfigError(f"AUTHBUS_DATA is wrong {TOKEN}"))

    assert lines.read_all()[0]["error"] == "ConfigError: AUTHBUS_DATA is wrong [hidden]"


def test_exceptions_in_a_group_are_told_one_by_one(lines: Lines) -> None:
    group = ExceptionGroup("hunter2", [ValueError("hunter2"), OSError("hunter2")])

    get_logger("x").error("went wrong", exc_info=group)

    told = [each["error"] for each in lines.read_all()[0]["exception"]]
    assert told == ["ExceptionGroup", "ValueError", "OSError"]
    assert "hunter2" not in lines.getvalue()


def test_warnings_and_what_nobody_caught_are_lines_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    sys.excepthook(ValueError, ValueError("hunter2"), None)
    thread = threading.Thread(target=fail_inside)

    thread.start()
    thread.join()

    told = lines.read_all()
    assert [each["level"] for each in told] == ["warning", "error", "error"]
    assert "hunter2" not in lines.getvalue()


def test_the_level_holds_for_us_and_for_libraries(lines: Lines) -> None:
    configure("json", "warning", lines)

    get_logger("x").info("quiet")
    library_logger("aiokafka").info("quiet")
    get_logger("x").warning("loud")
    library_logger("aiokafka").warning("loud")

    assert [each["event"] for each in lines.read_all()] == ["loud", "loud"]
