"""Codes of an app: RFC 6238's own examples, the window, and that each is good once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from authbus import totp
from authbus.events import AnyEvent, PasswordChanged, PasswordReason, PasswordResetForced
from authbus.replies import Code
from authbus.second_factor import ConfirmTotp
from authbus_service.auth.acting import Acting
from authbus_service.auth.factors.factor import Factor, Passed
from authbus_service.auth.factors.service import hashed, passes, wrapped
from authbus_service.auth.handlers import apply, decide
from authbus_service.auth.outcome import Enrolled, refused
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import MasterKeyError, Masters, token_hash
from authbus_service.core.security.wrapping import unwrap, wrap
from tests.rig.made import MASTERS, NOW, POLICY, a_request, a_session

SECRET = b"12345678901234567890"
STEP = totp.step_of(NOW)
ONE, TWO = bytes(range(32)), bytes(range(100, 132))
CODES = ("abcd-efgh-ijkl-mnop", "2345-6723-4567-2345")


def a_factor(last_step: int = 0) -> Factor:
    user_id = new_id()
    secret = wrapped(MASTERS, user_id.bytes, SECRET)
    return Factor(user_id, secret, NOW, NOW, last_step, hashed(CODES))


def with_begun(*, enabled: bool = False) -> tuple[Rows, Proof]:
    """Ana, logged in, with a second factor that was begun now."""
    rows, factor = Rows(), a_factor()
    ana = User(factor.user_id, 4, "active", "phc", 1, NOW, "ana@example.com", second_factor=enabled)
    session = a_session(ana.id)
    factor.enabled_at = NOW if enabled else None
    rows.users.by_id[ana.id], rows.sessions.known[session.id] = ana, session
    rows.factors.known[ana.id] = factor
    return rows, Proof(acting=Acting(ana.id, session.id, NOW + timedelta(days=1)), factor=True)


def confirmed(rows: Rows, proof: Proof, at: datetime) -> Any:
    code = SecretStr(totp.code_at(SECRET, totp.step_of(at)))
    command = ConfirmTotp(access_token=SecretStr("a token"), code=code)
    return decide(a_request(command), proof, rows, at, POLICY)


@pytest.mark.parametrize(
    ("minutes", "good"), [(0, True), (59, True), (60, False), (23 * 60, False)]
)
def test_a_second_factor_that_was_begun_can_be_confirmed_for_an_hour(
    minutes: int, *, good: bool
) -> None:
    found = confirmed(*with_begun(), NOW + timedelta(minutes=minutes))

    assert isinstance(found.answer, Enrolled) if good else found == refused(Code.FACTOR_MISSING)


@pytest.mark.parametrize("reason", [PasswordReason.CHANGED, PasswordReason.RESET, None])
@pytest.mark.parametrize("enabled", [False, True])
def test_a_new_password_and_none_drop_a_second_factor_that_was_only_begun(
    reason: PasswordReason | None, *, enabled: bool
) -> None:
    rows, proof = with_begun(enabled=enabled)
    (user_id,) = rows.users.by_id
    told: dict[str, Any] = {
        "user_id": user_id,
        "sequence": 5,
        "actor": "service",
        "causation_id": new_id(),
    }
    event: AnyEvent = PasswordResetForced(**told)
    if reason is not None:
        event = PasswordChanged(**told, reason=reason)

    apply(event, NOTHING, rows, NOW)

    assert (rows.factor(user_id) is not None) is enabled
    assert rows.factors.dropped == ([] if enabled else [user_id])
    code = Code.FACTOR_ENABLED if enabled else Code.FACTOR_MISSING
    assert confirmed(rows, proof, NOW) == refused(code)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_a_code_is_that_of_the_rfcs_examples(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)

    assert totp.code_at(SECRET, totp.step_of(at)) == code
    assert totp.matching(SECRET, code, at, after=0) == seconds // 30


@pytest.mark.parametrize(
    ("off", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_clock_may_be_one_step_behind_or_ahead(off: int, *, good: bool) -> None:
    found = passes(a_factor(), totp.code_at(SECRET, STEP + off), MASTERS, NOW)

    assert found == (Passed(step=STEP + off) if good else None)


@pytest.mark.parametrize("off", [-1, 0])
def test_a_code_of_the_last_used_step_or_of_one_before_is_good_no_more(off: int) -> None:
    factor = a_factor(last_step=STEP)

    assert passes(factor, totp.code_at(SECRET, STEP + off), MASTERS, NOW) is None
    assert passes(factor, totp.code_at(SECRET, STEP + 1), MASTERS, NOW) == Passed(step=STEP + 1)


@pytest.mark.parametrize(
    "typed", ["", "1", "12345", "000 000 0", "\u0661\u0662\u0663\u0664\u0665\u0666", "x" * 4096]
)
def test_what_is_no_code_passes_nothing(typed: str) -> None:
    assert passes(a_factor(), typed, MASTERS, NOW) is None


def test_blanks_hyphens_and_capitals_do_not_matter() -> None:
    code = totp.code_at(SECRET, STEP)

    assert passes(a_factor(), f" {code[:3]} {code[3:]}\n", MASTERS, NOW) == Passed(step=STEP)
    for typed in ("abcd-efgh-ijkl-mnop", "ABCDEFGH IJKLMNOP"):
        expected = Passed(recovery_hash=token_hash("abcdefghijklmnop"))
        assert passes(a_factor(), typed, MASTERS, NOW) == expected
    assert passes(a_factor(), "abcd-efgh-ijkl-mnoq", MASTERS, NOW) is None


def test_a_code_of_another_time_is_none_of_now() -> None:
    code = totp.code_at(SECRET, STEP)

    assert passes(a_factor(), code, MASTERS, NOW + timedelta(minutes=2)) is None


def test_a_secret_is_wrapped_for_its_user_and_purpose_alone_and_always_the_same() -> None:
    one = wrap(MASTERS, "totp", SECRET, context=b"ana")

    assert one == wrap(MASTERS, "totp", SECRET, context=b"ana")
    assert SECRET not in one
    assert unwrap(MASTERS, "totp", one, context=b"ana") == SECRET
    wrong = [("totp", one, b"bob"), ("other", one, b"ana"), ("totp", one[:-1] + b"?", b"ana")]
    for purpose, text, context in wrong:
        with pytest.raises(MasterKeyError):
            unwrap(MASTERS, purpose, text, context=context)


def test_a_secret_outlives_a_change_of_masters_while_its_own_is_in_the_list() -> None:
    old, both, new = Masters([ONE]), Masters([TWO, ONE]), Masters([TWO])
    text = wrap(old, "totp", SECRET, context=b"ana")

    again = wrap(both, "totp", unwrap(both, "totp", text, context=b"ana"), context=b"ana")

    assert [each[:4].hex() for each in (text, again)] == [old.current, both.current]
    assert unwrap(new, "totp", again, context=b"ana") == SECRET
    with pytest.raises(MasterKeyError, match=old.current):
        unwrap(new, "totp", text, context=b"ana")
