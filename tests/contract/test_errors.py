"""The catalogue of errors: whole, fresh, and each with a cure."""

import ast
import inspect
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from authbus import AuthError, AuthRejected, AuthTimeout, Code, specification
from authbus.code import MEANINGS
from authbus.state import DeadLetterReason
from authbus_service.cli.errors import MENDABLE
from authbus_service.cli.pages import catalogue
from authbus_service.cli.pages.refusals import PACKAGE, passed_on, refusals
from authbus_service.core import exit_status
from authbus_service.core.exit_status import Exit

AN_ID = UUID("01990000-0000-7000-8000-000000000000")
STATUS = {
    400: {"not_yet_known"},
    401: {"invalid_credentials", "invalid_token", "challenge_invalid"},
    403: {"forbidden", "step_up_required"},
    404: {"session_unknown", "user_unknown"},
    409: {
        *("token_rotated", "version_conflict", "email_taken", "email_verified"),
        *("factor_enabled", "factor_missing"),
    },
    422: {
        *("invalid", "role_unknown", "email_invalid", "code_invalid", "password_hash_refused"),
        *("password_too_short", "password_too_long", "password_common", "password_personal"),
        "idempotency_mismatch",
    },
    429: {"too_soon"},
    500: {"wrong_topic", "unknown_type", "stale_id"},
    503: {"busy", "expired"},
}


def test_the_checked_in_catalogue_is_what_the_code_generates() -> None:
    found = (specification.FOLDER / catalogue.NAME).read_text(encoding="utf-8")

    assert found == catalogue.as_markdown(), "run `authbus spec` and look at the difference"


def test_a_stale_catalogue_is_named_and_mended(tmp_path: Path) -> None:
    more = {catalogue.NAME: "new"}
    specification.write(tmp_path, more)
    (tmp_path / catalogue.NAME).write_text("old")

    found = specification.stale(tmp_path, more)
    specification.write(tmp_path, more)

    assert found == [catalogue.NAME]
    assert specification.stale(tmp_path, more) == []


def test_each_rejection_code_has_a_cause_and_a_cure_and_only_busy_may_be_sent_again() -> None:
    assert MEANINGS.keys() == set(Code)
    assert all(each.cause.endswith(".") and each.cure.endswith(".") for each in MEANINGS.values())
    assert [code for code in Code if code.retryable] == [Code.BUSY]


def test_each_code_has_the_http_status_of_the_table_and_one_to_come_later_has_400() -> None:
    by_status: dict[int, set[str]] = {}
    for code in (*Code, Code("not_yet_known")):
        by_status.setdefault(code.http_status, set()).add(code)

    assert by_status == STATUS


def test_who_is_to_come_later_is_told_when() -> None:
    for code in Code:
        assert (code.retry_after is not None) == (code.http_status in {429, 503})


def test_only_email_taken_is_hidden_from_strangers_and_the_catalogue_says_so() -> None:
    assert [code for code in Code if code.hidden] == [Code.EMAIL_TAKEN]
    assert "`email_taken` must never be shown to a stranger" in catalogue.as_markdown()


@pytest.mark.parametrize("code", Code)
def test_a_rejection_raised_by_the_client_has_its_codes_status(code: Code) -> None:
    error = AuthRejected(code, "", retryable=code.retryable, command_id=AN_ID)

    assert (error.http_status, error.retry_after) == (code.http_status, code.retry_after)


def test_no_answer_is_503_with_retry_after_and_no_error_of_the_client_is_left_at_500() -> None:
    silent = AuthTimeout(AN_ID)

    assert (silent.http_status, silent.retry_after) == (503, 1)
    for each in _below(AuthError):
        assert each is AuthRejected or each.http_status in {401, 403, 503}
        assert (each.retry_after is None) == (each.http_status != 503)


def test_each_refusal_has_a_cause_and_a_cure() -> None:
    found = refusals()

    assert len(found) > 100
    assert [each for each in found if not (each.cause and each.cure)] == []


def test_only_these_errors_take_the_text_of_another() -> None:
    assert passed_on() == {
        ("by_hand.py", "ByHandError"),  # what the client says of missing keys
        ("cli/serving.py", "StartupError"),  # a server's last lines
        ("cluster/errors.py", "TopicsError"),  # findings
        ("core/config.py", "ConfigError"),  # the rules of settings
        ("main.py", "StartupError"),  # PortError
        ("startup/rights.py", "ClusterError"),  # findings
    }


def test_each_error_that_a_person_can_mend_is_in_the_catalogue() -> None:
    known = {each.kind for each in refusals()}

    assert {each.__name__ for each in MENDABLE} - known == {"AuthError"}


def test_each_exit_status_has_a_meaning_and_none_is_written_as_a_number() -> None:
    assert exit_status.MEANINGS.keys() == set(Exit)
    for path in _sources():
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in {"typer.Exit", "sys.exit"}:
                assert not any(isinstance(each, ast.Constant) for each in call.args), path


def test_a_command_that_ends_with_1_says_so_in_its_help() -> None:
    ending = {path.stem for path in _sources() if "Exit(Exit.LEFT)" in path.read_text("utf-8")}
    told = {name for name, _ in catalogue.exits()}

    says = set[str]()
    for name, command in catalogue.commands():
        source = _source(command)
        if name in told:
            says |= {stem for stem in ending if f"cli.{stem} import" in source}

    assert ending - says == set()


def _below(kind: type[AuthError]) -> list[type[AuthError]]:
    below = [each for each in kind.__subclasses__() if each.__module__ == "authbus.errors"]
    return [*below, *(deeper for each in below for deeper in _below(each))]


def _sources() -> list[Path]:
    return sorted((PACKAGE / "cli").rglob("*.py"))


def _source(command: Any) -> str:
    return inspect.getsource(inspect.unwrap(command.callback))


def test_each_reason_of_a_dead_letter_is_told_with_its_cause_and_its_cure() -> None:
    page = (specification.FOLDER / catalogue.NAME).read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]

    for reason in DeadLetterReason:
        told = [line for line in rows if line.startswith(f"| `{reason}` |")]
        assert len(told) == 1, reason
        assert told[0].count(". |") == 2, told


def test_the_guide_leads_to_the_reasons_why_nobody_is_answered() -> None:
    guide = (specification.FOLDER / "contract.md").read_text(encoding="utf-8")
    page = (specification.FOLDER / catalogue.NAME).read_text(encoding="utf-8")

    assert "(errors.md#records-that-are-not-answered)" in guide
    assert "\n## Records that are not answered\n" in page
