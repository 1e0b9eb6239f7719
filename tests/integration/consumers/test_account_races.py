"""Log-ins against an account's end, in random interleavings of two writers on a real PostgreSQL."""

import asyncio

import pytest

from authbus.commands import (
    AnyCommand,
    DeactivateUser,
    EndAllSessions,
    EraseAccount,
    EraseUser,
    GrantRole,
    LogIn,
    ReactivateUser,
    RevokeRole,
)
from authbus.events import RoleGranted, RoleRevoked, UserErased
from authbus.replies import LoggedIn, Rejected, UserIsErased
from authbus_service.auth.acting import Acting
from tests.integration.consumers.racing import (
    COUNTS,
    HALF_OF_20_000,
    PASSWORD,
    TOKEN,
    Race,
    together,
)
from tests.rig.crowd import assert_in_order


@pytest.mark.parametrize("count", COUNTS)
async def test_an_erased_user_has_no_session_whatever_log_ins_hash_meanwhile(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting = await race.user(number)
        erase = EraseAccount(access_token=TOKEN, password=PASSWORD)
        by_user = race.asked(erase, acting)
        by_admin = race.asked(EraseUser(access_token=TOKEN, user_id=acting.user_id))
        log_ins = [race.asked(LogIn(email=email, password=PASSWORD)) for _ in range(3)]
        ended = race.asked(EndAllSessions(access_token=TOKEN, this_one_too=True), acting)
        answers = await asyncio.gather(by_user, by_admin, ended, *log_ins)
        assert any(isinstance(each, UserIsErased) for each in answers)
        assert all(isinstance(each, LoggedIn | Rejected) for each in answers[3:])

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    last = {each.user_id: each for each in events}
    assert len(last) == count
    assert all(isinstance(each, UserErased) for each in last.values())
    for table in ("users", "emails", "sessions"):
        assert await race.rows(f"SELECT 1 FROM {table}") == []
    assert len(await race.rows("SELECT id FROM erased_users")) == count
    await race.no_deadlock()


@pytest.mark.parametrize("count", HALF_OF_20_000)
async def test_a_shut_account_has_no_live_session_whatever_log_ins_hash_meanwhile(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting = await race.user(number)
        shut = DeactivateUser(access_token=TOKEN, user_id=acting.user_id)
        opened = ReactivateUser(access_token=TOKEN, user_id=acting.user_id)
        log_ins = [race.asked(LogIn(email=email, password=PASSWORD)) for _ in range(3)]
        others = [race.asked(shut), race.asked(shut)]
        if number % 2:
            others.append(race.asked(opened))
        await asyncio.gather(*others, *log_ins)

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    live = await race.rows(
        "SELECT s.id FROM sessions s JOIN users u ON u.id = user_id "
        "WHERE ended_at IS NULL AND status <> 'active'"
    )
    assert live == []
    assert len(await race.rows("SELECT id FROM users WHERE status <> 'active'")) >= count // 2
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_groups_that_share_users_in_opposite_order_never_dead_lock(
    race: Race, count: int
) -> None:
    pairs = [await race.user(number) for number in range(6)]
    users = [acting for _, acting in pairs]
    for acting in users:
        await race.asked(GrantRole(access_token=TOKEN, user_id=acting.user_id, role="admin"))

    async def one(number: int) -> None:
        """Two administrators change each other's roles, in opposite order, and others' too."""
        first, second = race.chance.sample(users, 2)
        await asyncio.gather(
            race.asked(grant(second), first),
            race.asked(grant(first), second),
            race.asked(EndAllSessions(access_token=TOKEN), first),
            race.asked(grant(race.chance.choice(users)), second),
        )

    def grant(acting: Acting) -> AnyCommand:
        role = GrantRole if race.chance.random() < 0.5 else RevokeRole
        return role(access_token=TOKEN, user_id=acting.user_id, role="clerk")

    await together(one, count)

    events = await race.events()
    assert_in_order(events)
    given = [each for each in events if isinstance(each, RoleGranted | RoleRevoked)]
    assert len(given) > count // 2
    await race.no_deadlock()
