import time

import pytest

from authbus.replies import Code
from authbus_service.auth.passwords.rules import judge

ADDRESS = "ana.lovelace@analytical.example"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "Tr0ub4dor&3-and-more",
        "пароль из пяти слов",
        "x7!kQz9#mP2v",
        "ana likes green tea",
        "qwerty does not make this bad",
        "p" * 3 + "correct horse",
        "é" * 3 + "longer than twelve",
    ],
)
def test_a_good_password_is_taken(password: str) -> None:
    assert judge(password, ADDRESS, 12) is None


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("", Code.PASSWORD_TOO_SHORT),
        ("eleven char", Code.PASSWORD_TOO_SHORT),
        ("e\u0301" * 11, Code.PASSWORD_TOO_SHORT),
        ("x" * 1025, Code.PASSWORD_TOO_LONG),
        ("\ufdfa" * 400, Code.PASSWORD_TOO_LONG),
        ("q1w2e3r4t5y6u7i8", Code.PASSWORD_COMMON),
        ("ILoveMyFamily", Code.PASSWORD_COMMON),
        ("password1234", Code.PASSWORD_COMMON),
        ("Password!!!!", Code.PASSWORD_COMMON),
        ("passwordpassword", Code.PASSWORD_COMMON),
        ("aaaaaaaaaaaaaaaa", Code.PASSWORD_COMMON),
        ("abababababababab", Code.PASSWORD_COMMON),
        ("abcdefghijklmnop", Code.PASSWORD_COMMON),
        ("123456789012", Code.PASSWORD_COMMON),
        ("qwertyuiopqwertyuiop", Code.PASSWORD_COMMON),
        ("anaLovelace1815", Code.PASSWORD_PERSONAL),
        ("lovelace-lovelace", Code.PASSWORD_PERSONAL),
        ("Analytical2026!", Code.PASSWORD_PERSONAL),
        ("authbus-authbus", Code.PASSWORD_PERSONAL),
    ],
)
def test_a_bad_password_is_refused_by_its_rule(password: str, rule: Code) -> None:
    assert judge(password, ADDRESS, 12) is rule


def test_the_shortest_length_is_a_setting() -> None:
    assert judge("fourteen chars", ADDRESS, 15) is Code.PASSWORD_TOO_SHORT


def test_1024_bytes_are_taken_whole() -> None:
    longest = "correct horse battery " + "q7" * 501

    assert len(longest.encode()) == 1024
    assert judge(longest, ADDRESS, 12) is None


@pytest.mark.parametrize(
    "password",
    ["a" + "1" * 1022 + "a", "a" * 1022 + "bc", "a" + "\u0315\u0300" * 2047, "ab" * 512],
    ids=["digits", "repeated", "marks", "pairs"],
)
def test_no_password_takes_long_to_judge(password: str) -> None:
    judge(password, ADDRESS, 12)
    taken: list[float] = []

    for _ in range(5):
        before = time.process_time()
        judge(password, ADDRESS, 12)
        taken.append(time.process_time() - before)

    assert min(taken) < 0.005
