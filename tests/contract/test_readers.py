"""Readers of today take what comes tomorrow; the service refuses what it does not know."""

from typing import Any

import pytest
from pydantic import ValidationError

from authbus.events import EndReason, SessionEnded
from authbus.replies import Code, Rejected
from authbus.specification import examples
from authbus.specification.marks import leaves
from authbus.specification.messages import Entry, Kind, entries

Json = dict[str, Any]


@pytest.mark.parametrize("entry", [entry for entry in entries() if entry.kind is not Kind.COMMAND])
def test_a_reader_of_today_passes_over_a_field_of_tomorrow(entry: Entry) -> None:
    data = examples.VALUES[entry.model].to_json()

    read = entry.model.model_validate({**data, "of_tomorrow": {"deep": [1]}})

    assert read == examples.VALUES[entry.model]


def test_a_reader_of_today_keeps_a_value_of_tomorrow() -> None:
    ended = examples.VALUES[SessionEnded].to_json()

    rejected = Rejected.model_validate({"code": "quota", "retryable": True})
    event = SessionEnded.model_validate({**ended, "reason": "stolen"})

    assert rejected.code == "quota"
    assert rejected.to_json()["code"] == "quota"
    assert not rejected.code.retryable
    assert event.reason == "stolen"
    assert "quota" not in list(Code)
    assert EndReason("logout") is EndReason.LOGOUT


def choices(entry: Entry) -> dict[str, list[Json]]:
    """For each field with a list of values: all that may stand there."""
    found: dict[str, list[Json]] = {}
    for path, schema in leaves(entry.model):
        found.setdefault(path, []).append(schema)
    listed = {"enum", "const"}
    return {path: all_ for path, all_ in found.items() if any(listed & s.keys() for s in all_)}


def test_what_the_service_writes_has_no_closed_list_but_these() -> None:
    closed = {
        f"{entry.model.__name__}.{path}"
        for entry in entries()
        if entry.kind is not Kind.COMMAND
        for path, kinds in choices(entry).items()
        if {"type": "string"} not in kinds
    }

    # A reader refuses a key of another use.
    assert closed == {"PublicKey.use"}


@pytest.mark.parametrize("entry", [entry for entry in entries() if entry.kind is Kind.COMMAND])
def test_a_command_with_an_unknown_field_is_refused(entry: Entry) -> None:
    data = examples.VALUES[entry.model].to_json()

    with pytest.raises(ValidationError, match="extra_forbidden"):
        entry.model.model_validate({**data, "of_tomorrow": 1})
