"""Refreshes at once, and against every end of a session: a random order on a real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus.commands import (
    ChangePassword,
    DeactivateUser,
    EndAllSessions,
    EndSession,
    EndUserSessions,
    EraseUser,
    LogOut,
    RegisterUser,
)
from authbus.events import AnyEvent, EndReason, SessionEnded, SessionRefreshed
from authbus.message import Reply
from authbus.replies import Code, LoggedIn, Refreshed, Registered, Rejected, Tokens
from authbus_service.auth.acting import Acting
from authbus_service.core.database import Database
from tests.integration.consumers.grouping import POLICY
from tests.integration.consumers.racing import (
    COUNTS,
    PASSWORD,
    TOKEN,
    Race,
    acting,
    racing,
    refreshing,
    together,
)
from tests.rig.crowd import assert_in_order

INVALID, ROTATED = Rejected.because(Code.INVALID_TOKEN), Rejected.because(Code.TOKEN_ROTATED)
REFRESHES = 12


async def a_user(race: Race, number: int) -> tuple[str, LoggedIn]:
    """A user with a session and its tokens."""
    email = f"user{number}@example.com"
    made = await race.asked(RegisterUser(email=email, password=PASSWORD))
    assert isinstance(made, Registered)
    return email, await race.session(email)


def won(answers: Iterable[Reply]) -> list[Refreshed]:
    return [each for each in answers if isinstance(each, Refreshed)]


def ended(events: Iterable[AnyEvent]) -> list[SessionEnded]:
    return [each for each in events if isinstance(each, SessionEnded)]


def refreshed_behind_their_end(events: Iterable[AnyEvent]) -> list[AnyEvent]:
    """Refreshes of sessions that had ended; each session ends once."""
    over: set[UUID] = set()
    found: list[AnyEvent] = []
    for event in events:
        if isinstance(event, SessionEnded):
            assert event.session_id not in over
            over.add(event.session_id)
        if isinstance(event, SessionRefreshed) and event.session_id in over:
            found.append(event)
    return found


@pytest.mark.parametrize("count", COUNTS)
async def test_of_refreshes_at_once_one_gets_tokens_and_its_retry_gets_the_same(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        _, first = await a_user(race, number)
        requests = [refreshing(first) for _ in range(3)]
        answers = await asyncio.gather(*map(race.told, requests + requests))
        winners = won(answers)
        assert len(winners) == 2
        assert winners[0] == winners[1]
        assert answers.count(ROTATED) == 4
        assert answers[:3] == answers[3:]
        assert won([await race.told(refreshing(winners[0]))])

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    assert sum(isinstance(each, SessionRefreshed) for each in events) == 2 * count
    assert ended(events) == []
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_without_a_grace_two_refreshes_at_once_end_the_session(
    database: Database, count: int
) -> None:
    async with racing(database, replace(POLICY, refresh_grace=timedelta(0))) as race:

        async def one(number: int) -> None:
            _, first = await a_user(race, number)
            answers = await asyncio.gather(*(race.told(refreshing(first)) for _ in range(2)))
            (winner,) = won(answers)
            assert answers.count(INVALID) == 1
            assert await race.told(refreshing(winner)) == INVALID

        await together(one, count)

        events = await race.events()
    assert_in_order(events)
    assert Counter(each.reason for each in ended(events)) == {EndReason.TOKEN_REUSE: count}
    assert refreshed_behind_their_end(events) == []


# So many are needed for ends to come early and late.
@pytest.mark.parametrize("count", [20, pytest.param(1000, marks=pytest.mark.nightly)])
async def test_no_session_is_accepted_after_its_end_whoever_ends_it(race: Race, count: int) -> None:
    refreshes: Counter[int] = Counter()

    async def one(number: int) -> None:
        email, mine = await a_user(race, number)
        ending = await an_end(race, number, email, mine)
        chain, _ = await asyncio.gather(refreshed(race, mine), ending)
        newest = [mine, *chain][-1]
        assert await race.told(refreshing(newest)) == INVALID
        as_before = await race.asked(EndAllSessions(access_token=TOKEN), acting(newest))
        assert as_before == INVALID
        refreshes[len(chain)] += 1

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    assert refreshed_behind_their_end(events) == []
    assert set(Counter(each.reason for each in ended(events))) == {
        EndReason.LOGOUT,
        EndReason.REVOKED,
        EndReason.ADMIN,
        EndReason.DEACTIVATED,
        EndReason.PASSWORD_CHANGED,
        EndReason.ERASED,
    }
    assert len(ended(events)) == count
    assert len(refreshes) > (1 if count < 100 else 2), "ends must come early and late"
    assert refreshes[REFRESHES] < count // 2
    await race.no_deadlock()


async def refreshed(race: Race, held: Tokens) -> Sequence[Tokens]:
    """Refresh one after the other, until it is refused."""
    found: list[Tokens] = []
    for _ in range(REFRESHES):
        answer = await race.told(refreshing(held))
        if not isinstance(answer, Refreshed):
            assert answer == INVALID
            break
        held = answer
        found.append(held)
    return found


async def an_end(race: Race, number: int, email: str, mine: LoggedIn) -> Awaitable[Reply]:
    """One of the commands that end this session, to be awaited."""
    me, id_ = acting(mine), mine.session_id
    other: Acting | None = None
    if number % 7 in {1, 4}:
        other = acting(await race.session(email))
    match number % 7:
        case 0:
            return race.asked(LogOut(session_id=id_, refresh_token=mine.refresh_token))
        case 1:
            return race.asked(EndSession(access_token=TOKEN, session_id=id_), other)
        case 2:
            return race.asked(EndAllSessions(access_token=TOKEN, this_one_too=True), me)
        case 3:
            return race.asked(DeactivateUser(access_token=TOKEN, user_id=mine.user_id))
        case 4:
            new = SecretStr("staple them together")
            change = ChangePassword(access_token=TOKEN, current_password=PASSWORD, new_password=new)
            return race.asked(change, other)
        case 5:
            return race.asked(EndUserSessions(access_token=TOKEN, user_id=mine.user_id))
        case _:
            return race.asked(EraseUser(access_token=TOKEN, user_id=mine.user_id))
