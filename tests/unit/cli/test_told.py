"""What a command says: its help by itself, and nothing but its result on the standard output."""

from collections.abc import Callable
from uuid import UUID

import pytest
from typer.testing import CliRunner

from authbus_service.cli import users
from authbus_service.cli.app import app
from authbus_service.cli.output import show

USER_ID = UUID("01a22f5b-d86d-8a57-ad9b-15686487808b")


def test_the_help_of_an_option_points_to_no_other_command() -> None:
    told = CliRunner().invoke(app, ["replay", "events", "--help"]).stdout

    assert "--where" in told
    assert "above" not in told


def test_the_question_before_an_erasure_is_no_part_of_the_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def erase(whose: str, *, client: str, is_sure: Callable[[UUID], bool]) -> None:
        assert (whose, client, is_sure(USER_ID)) == ("ana@example.com", "shell", True)
        show({"user_id": str(USER_ID)})

    monkeypatch.setattr(users, "erase", erase)

    ended = CliRunner().invoke(app, ["users", "erase", "ana@example.com"], input="y\n")

    assert f"Erase {USER_ID}?" in ended.stderr
    assert "Erase" not in ended.stdout
