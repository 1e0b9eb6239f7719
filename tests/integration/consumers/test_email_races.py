"""Who gets an address, in random interleavings of two writers on a real PostgreSQL."""

import asyncio
from collections import Counter

import pytest

from authbus.commands import ChangeEmail, ConfirmEmailChange, EraseUser, RegisterUser, VerifyEmail
from authbus.events import EmailChanged, EmailVerified
from authbus.replies import EmailIsChanged, EmailIsVerified, MailQueued, Registered, Rejected
from authbus_service.auth.acting import Acting
from authbus_service.auth.codes.code import Purpose
from tests.integration.consumers.racing import COUNTS, PASSWORD, TOKEN, Race, mailed_code, together
from tests.rig.crowd import assert_in_order


async def each_address_has_one_live_user(race: Race) -> None:
    """Users and claims are the same pairs, and no address is there twice."""
    users = await race.rows("SELECT lower(email) FROM users")
    claimed = await race.rows(
        "SELECT canonical FROM emails JOIN users ON users.id = user_id AND lower(email) = canonical"
    )
    assert sorted(map(str, users)) == sorted(map(str, claimed))
    assert await race.rows("SELECT 1 FROM emails") == [1] * len(users)
    assert max(Counter(users).values()) == 1
    assert_in_order(await race.events())
    await race.no_deadlock()


@pytest.mark.parametrize("count", COUNTS)
async def test_of_many_who_register_an_address_at_once_one_gets_it(race: Race, count: int) -> None:
    async def one(number: int) -> None:
        spellings = (f"user{number}@example.com", f"User{number}@Example.com") * 2
        answers = await asyncio.gather(
            *(race.asked(RegisterUser(email=each, password=PASSWORD)) for each in spellings)
        )
        assert Counter(type(each) for each in answers) == {Registered: 1, Rejected: 3}

    await together(one, count)

    assert len(await race.rows("SELECT id FROM users")) == count
    await each_address_has_one_live_user(race)


async def moving(race: Race, acting: Acting, address: str) -> ConfirmEmailChange:
    """Ask for a change; the confirmation that its mail leads to."""
    change = ChangeEmail(access_token=TOKEN, password=PASSWORD, new_email=address)
    assert isinstance(await race.asked(change, acting), MailQueued)
    return ConfirmEmailChange(code=await mailed_code(race, Purpose.CHANGE_EMAIL, address))


@pytest.mark.parametrize("count", COUNTS)
async def test_an_address_that_one_moves_to_while_others_want_it_has_one_user(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        """Two move to addresses that differ in case alone, one of them twice, one registers it."""
        here, there = f"wanted{number}@example.org", f"Wanted{number}@Example.org"
        (old, ana), (_, bob) = await race.user(2 * number), await race.user(2 * number + 1)
        confirms = [await moving(race, ana, here), await moving(race, bob, there)]
        answers = await asyncio.gather(
            *(race.asked(each) for each in (*confirms, confirms[0])),
            race.asked(RegisterUser(email=here, password=PASSWORD)),
            race.asked(RegisterUser(email=old, password=PASSWORD)),
        )
        got = {type(each) for each in answers[:4]}
        assert got <= {EmailIsChanged, Registered, Rejected}
        users = {each.user_id for each in answers[:4] if not isinstance(each, Rejected)}  # pyright: ignore[reportAttributeAccessIssue]
        assert len(users) == 1

    await together(one, count)

    events = await race.events()
    wanted = await race.rows("SELECT user_id FROM emails WHERE canonical LIKE 'wanted%'")
    assert len(set(wanted)) == count
    assert sum(isinstance(each, EmailChanged) for each in events) <= count
    await each_address_has_one_live_user(race)


@pytest.mark.parametrize("count", COUNTS)
async def test_an_address_is_free_again_when_its_user_is_erased_while_it_is_verified(
    race: Race, count: int
) -> None:
    async def one(number: int) -> None:
        email, acting = await race.user(number)
        verify = VerifyEmail(code=await mailed_code(race, Purpose.VERIFY_EMAIL, email))
        confirm = await moving(race, acting, f"moved{number}@example.org")
        answers = await asyncio.gather(
            race.asked(verify),
            race.asked(verify),
            race.asked(confirm),
            race.asked(EraseUser(access_token=TOKEN, user_id=acting.user_id)),
        )
        assert {type(each) for each in answers[:2]} <= {EmailIsVerified, Rejected}

    await together(one, count)

    verified = Counter(
        each.user_id for each in await race.events() if isinstance(each, EmailVerified)
    )
    assert set(verified.values()) <= {1}
    for table in ("users", "emails", "codes", "mails"):
        assert await race.rows(f"SELECT 1 FROM {table}") == []
    assert_in_order(await race.events())
    await race.no_deadlock()
