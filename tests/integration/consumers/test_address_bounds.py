"""How often a user asks for another address, on real servers, and what they learn of others."""

import itertools
from dataclasses import replace

from pydantic import SecretStr

from authbus import (
    ChangeEmail,
    ChangePassword,
    Code,
    ConfirmEmailChange,
    EmailIsChanged,
    LoggedIn,
    MailQueued,
    PasswordIsChanged,
    Rejected,
    Reply,
)
from authbus_service.auth.codes.code import Purpose
from tests.integration.consumers.test_mail_bounds import (
    MOST,
    TOO_SOON,
    ask,
    register,
    time_passes,
)
from tests.integration.consumers.test_shedding import Counting, cost
from tests.rig.mailed import code, queued
from tests.rig.world import PASSWORD, World


async def change(world: World, session: LoggedIn, email: str, password: SecretStr) -> Reply:
    token = session.access_token
    return await ask(world, ChangeEmail(access_token=token, password=password, new_email=email))


async def test_whoever_asks_which_addresses_are_taken_is_told_five_times_a_day(
    world: World,
) -> None:
    taken = [f"user{each}@example.com" for each in range(7)]
    async with world.consuming():
        for each in taken:
            await register(world, each)
        asker = await world.session("asker@example.com")
        told = []
        for each in taken[:MOST]:
            told.append(await change(world, asker, each, PASSWORD))
            told.append(await change(world, asker, taken[MOST], PASSWORD))
            told.append(await change(world, asker, "free@example.com", PASSWORD))
            await time_passes(world, "1 minute")
        beyond = [
            await change(world, asker, each, PASSWORD) for each in (taken[6], "free@example.com")
        ]
        await time_passes(world, "1 day")
        asker = await world.logged_in("asker@example.com")
        next_day = await change(world, asker, "free@example.com", PASSWORD)

    assert told == [Rejected.because(Code.EMAIL_TAKEN), TOO_SOON, TOO_SOON] * MOST
    assert beyond == [TOO_SOON] * 2
    assert isinstance(next_day, MailQueued)


async def test_a_refused_change_costs_the_same_whether_the_address_is_free_or_taken(
    world: World,
) -> None:
    hashes = Counting(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        await register(world, "taken@example.com")
        asker = await world.session("asker@example.com")
        await change(world, asker, "new@example.com", PASSWORD)
        drafts = [
            world.web.draft(
                ChangeEmail(access_token=asker.access_token, password=PASSWORD, new_email=each)
            )
            for each in ("taken@example.com", "free@example.com", "taken@example.com")
        ]
        costs = [await cost(world, hashes, each) for each in drafts]
        answers = [await world.web.ask(each) for each in drafts]

    hashes.close()
    assert answers == [TOO_SOON] * 3
    assert costs == [costs[0]] * 3


async def test_a_new_password_gives_no_further_change_of_address(world: World) -> None:
    passwords = [PASSWORD, *(SecretStr(f"correct horse battery {each}") for each in range(6))]
    async with world.consuming():
        asker = await world.session("asker@example.com")
        answers = []
        for number, (old, new) in enumerate(itertools.pairwise(passwords)):
            answers.append(await change(world, asker, f"first{number}@example.com", old))
            changed = ChangePassword(
                access_token=asker.access_token, current_password=old, new_password=new
            )
            assert isinstance(await ask(world, changed), PasswordIsChanged)
            answers.append(await change(world, asker, f"next{number}@example.com", new))
            await time_passes(world, "1 minute")

    assert [type(each) for each in answers] == [MailQueued, Rejected] * MOST + [Rejected] * 2
    assert [each for each in answers if isinstance(each, Rejected)] == [TOO_SOON] * (MOST + 2)
    assert [to for what, to in await queued(world) if what == "change_email"] == [
        f"first{number}@example.com" for number in range(MOST)
    ]


async def test_the_code_of_a_mistyped_address_is_void_once_another_one_is_asked_for(
    world: World,
) -> None:
    mistyped, meant = "asker@exmaple.org", "asker@example.org"
    async with world.consuming():
        asker = await world.session("asker@example.com")
        drafts = [
            world.web.draft(
                ChangeEmail(access_token=asker.access_token, password=PASSWORD, new_email=each)
            )
            for each in (mistyped, meant)
        ]
        first = await world.web.ask(drafts[0])
        await time_passes(world, "1 minute")
        second = await world.web.ask(drafts[1])
        again = [await world.web.ask(each) for each in drafts]
        codes = [await code(world, Purpose.CHANGE_EMAIL, each) for each in (mistyped, meant)]
        confirmed = [await ask(world, ConfirmEmailChange(code=SecretStr(each))) for each in codes]
        late = await ask(world, ConfirmEmailChange(code=SecretStr(codes[0])))

    assert isinstance(first, MailQueued)
    assert again == [first, second]
    assert confirmed == [
        Rejected.because(Code.CODE_INVALID),
        EmailIsChanged(user_id=asker.user_id),
    ]
    assert late == Rejected.because(Code.CODE_INVALID)
    assert [row["email"] for row in await world.rows("SELECT email FROM users")] == [meant]
