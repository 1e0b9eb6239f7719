"""Log-ins against a password that is reset or taken away, by two writers on a real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus.commands import (
    ChangePassword,
    CompletePasswordReset,
    EraseUser,
    ForcePasswordReset,
    LogIn,
    RequestPasswordReset,
)
from authbus.events import (
    PasswordChanged,
    PasswordReason,
    PasswordResetForced,
    PasswordResetRequested,
    SessionStarted,
)
from authbus.password_replies import PasswordIsChanged, PasswordIsVoid, ResetIsRequested
from authbus.replies import Code, LoggedIn, Rejected
from authbus_service.auth.codes.code import Purpose
from tests.integration.consumers.racing import (
    COUNTS,
    PASSWORD,
    TOKEN,
    Race,
    mailed_code,
    together,
)
from tests.rig.crowd import assert_in_order

LATEST = 0.2
NEW, OTHER = SecretStr("staple them together"), SecretStr("quite another thing")


async def resetting(race: Race, email: str) -> CompletePasswordReset:
    """Ask for a mail; the new password that it leads to."""
    assert isinstance(await race.asked(RequestPasswordReset(email=email)), ResetIsRequested)
    code = await mailed_code(race, Purpose.RESET_PASSWORD, email)
    return CompletePasswordReset(code=code, new_password=NEW)


async def later(race: Race, work: Awaitable[object]) -> object:
    """The work, begun so late that some log-ins are done before it."""
    await asyncio.sleep(race.chance.uniform(0, LATEST))
    return await work


async def no_old_session_lives(
    race: Race, started: set[UUID], void: tuple[type[PasswordChanged | PasswordResetForced], ...]
) -> None:
    """None of these sessions follows or outlives what made their password void."""
    events = await race.events()
    assert_in_order(events)
    first: dict[UUID, int] = {}
    for event in events:
        if isinstance(event, void):
            first.setdefault(event.user_id, event.sequence)
    late = [
        each
        for each in events
        if isinstance(each, SessionStarted)
        and each.session_id in started
        and each.sequence > first.get(each.user_id, each.sequence)
    ]
    assert late == []
    live = await race.rows("SELECT id FROM sessions WHERE ended_at IS NULL")
    assert started.isdisjoint(live)
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_no_session_of_a_forgotten_password_outlives_its_reset(
    race: Race, count: int
) -> None:
    old: set[UUID] = set()

    async def one(number: int) -> None:
        email, acting = await race.user(number)
        reset = await resetting(race, email)
        passwords = (PASSWORD, PASSWORD, PASSWORD, NEW)
        answers = await asyncio.gather(
            *(later(race, race.asked(reset)) for _ in range(2)),
            *(race.asked(LogIn(email=email, password=each)) for each in passwords),
        )
        assert Counter(type(each) for each in answers[:2]) == {PasswordIsChanged: 1, Rejected: 1}
        assert Rejected.because(Code.CODE_INVALID) in answers[:2]
        old.add(acting.session_id)
        old.update(each.session_id for each in answers[2:5] if isinstance(each, LoggedIn))

    await together(one, count)

    await no_old_session_lives(race, old, (PasswordChanged,))
    resets = [each for each in await race.events() if isinstance(each, PasswordChanged)]
    assert Counter(each.reason for each in resets) == {PasswordReason.RESET: count}
    assert count < len(old) < 4 * count, "both sides must win sometimes"


@pytest.mark.parametrize("count", COUNTS)
async def test_no_session_outlives_a_password_that_is_taken_away_while_it_is_changed_and_reset(
    race: Race, count: int
) -> None:
    old: set[UUID] = set()

    async def one(number: int) -> None:
        email, acting = await race.user(number)
        change = ChangePassword(access_token=TOKEN, current_password=PASSWORD, new_password=OTHER)
        reset = await resetting(race, email)
        forced = race.asked(ForcePasswordReset(access_token=TOKEN, user_id=acting.user_id))
        changed = race.asked(change, acting)
        answers = await asyncio.gather(
            *(later(race, each) for each in (forced, race.asked(reset), changed)),
            *(race.asked(LogIn(email=email, password=PASSWORD)) for _ in range(3)),
        )
        assert isinstance(answers[0], PasswordIsVoid)
        assert {type(each) for each in answers[1:3]} <= {PasswordIsChanged, Rejected}
        assert {type(each) for each in answers[3:]} <= {LoggedIn, Rejected}
        old.update(each.session_id for each in answers[3:] if isinstance(each, LoggedIn))
        old.add(acting.session_id)

    await together(one, count)

    await no_old_session_lives(race, old, (PasswordResetForced,))
    events = await race.events()
    forced = {
        each.user_id: each.sequence for each in events if isinstance(each, PasswordResetForced)
    }
    void = set(await race.rows("SELECT id FROM users WHERE password_hash = ''"))
    after = {
        each.user_id
        for each in events
        if isinstance(each, PasswordChanged) and each.sequence > forced[each.user_id]
    }
    assert after == set(), "codes and proofs of before are void"
    assert void == set(forced)


@pytest.mark.parametrize("count", COUNTS)
async def test_of_many_requests_at_once_one_mails_a_code_and_none_to_an_erased_user(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting = await race.user(number)
        asks = [race.asked(RequestPasswordReset(email=email)) for _ in range(3)]
        if number % 2:
            asks.append(race.asked(EraseUser(access_token=TOKEN, user_id=acting.user_id)))
        answers = await asyncio.gather(*asks)
        assert {type(each) for each in answers[:3]} == {ResetIsRequested}

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    asked = Counter(each.user_id for each in events if isinstance(each, PasswordResetRequested))
    assert set(asked.values()) == {1}
    mails = await race.rows("SELECT user_id FROM mails WHERE template = 'reset_password'")
    codes = await race.rows("SELECT user_id FROM codes WHERE purpose = 'reset_password'")
    assert len(mails) == len(codes) == count // 2
    assert set(mails) == set(codes) == set(await race.rows("SELECT id FROM users"))
    await race.no_deadlock()
