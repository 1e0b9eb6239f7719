"""Where the fake has rules of its own, they are the service's."""

import subprocess
import sys
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authbus import Code
from authbus.testing import (
    Settings,
    answering,
    guessing,
    judging,
    memory,
    rows,
    service_accounts,
)
from authbus.testing.permitting import ADMIN
from authbus.testing.rows import LIFETIMES
from authbus_service.auth import handlers
from authbus_service.auth.codes.code import Purpose
from authbus_service.auth.commands import log_in_service
from authbus_service.auth.factors import factor
from authbus_service.auth.guessing.limits import MOST_IN_A_ROW, Limits
from authbus_service.auth.passwords import rules
from authbus_service.auth.roles.permissions import Permission
from authbus_service.consumers import housekeeping
from authbus_service.core import config


@given(st.one_of(st.text(max_size=40), st.text(alphabet="ana.exmple12", max_size=30)))
def test_a_password_breaks_the_same_rule_unless_it_is_only_known_to_be_common(text: str) -> None:
    address = "ana.examiner@example.com"
    expected = rules.judge(text, address, 12)
    found = judging.judge(text, address, 12)

    assert expected in {found, Code.PASSWORD_COMMON}


@pytest.mark.parametrize("password", sorted(judging.COMMON))
def test_what_the_fake_calls_common_the_service_does_too(password: str) -> None:
    found = rules.judge(password, "ana@example.com", 8)

    assert found == Code.PASSWORD_COMMON
    assert judging.judge(password, "ana@example.com", 8) == found


@pytest.mark.parametrize("password", ["x" * 1024, "x" * 1025, "ä" * 512, "ä" * 513, "\ud800" * 12])
def test_a_password_is_as_long_as_it_may_be(password: str) -> None:
    found = judging.normalised(password)

    expected = rules.judge(password, "ana@example.com", 12)
    assert (found is None) == (expected == Code.PASSWORD_TOO_LONG)


@pytest.mark.parametrize("failures", range(40))
def test_guesses_wait_as_long(failures: int) -> None:
    assert Settings().wait(failures) == Limits().wait(failures)


def test_as_many_wrong_codes_in_a_row_are_the_last() -> None:
    assert vars(guessing)["_MOST_IN_A_ROW"] == MOST_IN_A_ROW


@pytest.mark.parametrize("name", ["_CODES_KEPT", "_SESSIONS_KEPT"])
def test_what_is_over_is_kept_as_long(name: str) -> None:
    assert vars(memory)[name] == vars(housekeeping)[name]


def test_settings_have_the_services_names_and_defaults() -> None:
    nothing: dict[str, Any] = {}
    service = config.Settings(**nothing)

    assert asdict(Settings()) == {name: getattr(service, name) for name in asdict(Settings())}


def test_codes_live_as_long_and_an_administrator_may_do_the_same() -> None:
    assert {str(each): each.lifetime for each in Purpose} == LIFETIMES
    assert frozenset(Permission) == ADMIN


def test_a_second_factor_that_was_begun_can_be_confirmed_as_long() -> None:
    assert factor.BEGUN == rows.BEGUN


def test_a_machine_has_as_many_sessions() -> None:
    assert vars(service_accounts)["_MOST"] == vars(log_in_service)["_MOST"]


def test_the_same_commands_are_questions() -> None:
    assert {*answering.QUESTIONS} == {*handlers.QUESTIONS}


def test_the_fake_needs_the_extra_client_alone() -> None:
    blocked = ("argon2", "bcrypt", "joserfc", "langcodes", "zxcvbn", "authbus_service")
    code = f"""
import sys
for name in {blocked}:
    sys.modules[name] = None
import authbus.testing
"""
    subprocess.run((sys.executable, "-c", code), check=True, timeout=60)
