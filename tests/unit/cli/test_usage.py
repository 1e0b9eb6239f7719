"""What is not meant so ends with 2, before anything is connected."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from authbus.state import DeadLetterReason
from authbus.topics import CREDENTIALS
from authbus_service.cli.app import app
from authbus_service.core.exit_status import Exit

TOPIC = CREDENTIALS.suffix
# An id whose time is that of 1970-01-01.
AT_THE_BEGINNING = "00000000-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "wrong",
    [
        ("replay", "commands", "events.v1", "--from", "0"),
        ("replay", "commands", TOPIC, "--from", "yesterday"),
        ("replay", "commands", TOPIC, "--from", "0", "--where", "password=x"),
        ("replay", "commands", TOPIC, "--from", "0", "--rate", "0/s"),
        ("replay", "commands", TOPIC, "--from", "0", "--rate", "inf"),
        ("replay", "commands", TOPIC, "--from", "0", "--rate", "1e999/s"),
        ("replay", "commands", TOPIC, "--from", "0", "--wait", "nan"),
        ("replay", "commands", TOPIC, "--from", "1960-01-01"),
        ("replay", "commands", TOPIC, "--from", "0", "--to", "1970-01-01T00:00:00+01:00"),
        ("replay", "commands", TOPIC, "--from", "0", "--resume", "the last one"),
        ("replay", "commands", TOPIC, "--from", "0", "--resume", AT_THE_BEGINNING),
        ("state", "rebuild", "sessions"),
        ("watch", "--where", "password=x"),
        ("dead-letters", "redrive"),
        ("dead-letters", "discard", "--all", "--reason", "failed"),
        ("dead-letters", "list", "--since", "0"),
        ("dead-letters", "list", "--reason", "faild"),
        ("dead-letters", "redrive", "--reason", "failed", "--reason", "faild"),
        ("dead-letters", "discard", "--topic", "commands.credential.v1"),
        ("dead-letters", "list", "--topic", "events.v1"),
        ("replay", "events", "--from", "0"),
        ("replay", "events", "--from", "0", "--to-topic", "auth.events.v1"),
        ("replay", "events", "--from", "0", "--to-group", "g", "--where", "type=UserCreated"),
        ("replay", "events", "--from", "0", "--to-topic", "t", "--rate", "inf"),
        ("replay", "events", "--from", "1960-01-01", "--to-group", "g"),
        ("replay", "events", "--from", "0", "--to-topic", "t", "--resume", AT_THE_BEGINNING),
        ("users", "import", "."),
    ],
)
def test_wrong_usage_ends_with_2_and_names_what_is_wrong(
    wrong: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = CliRunner().invoke(app, wrong)

    assert (ended.exit_code, "Error" in ended.output) == (2, True)


@pytest.mark.parametrize(
    ("option", "known"),
    [("--reason", {each.value for each in DeadLetterReason}), ("--topic", {TOPIC, "outbox"})],
)
def test_who_mistypes_a_reason_or_topic_of_dead_letters_is_told_those_that_there_are(
    option: str, known: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = CliRunner().invoke(app, ("dead-letters", "redrive", option, "faild"))

    assert ended.exit_code == Exit.USAGE
    words = set(ended.output.replace(",", " ").split())
    assert all(any(word.endswith(each) for word in words) for each in known), ended.output
