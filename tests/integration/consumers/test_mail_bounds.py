"""Mails to a stranger's mailbox, on real servers: few, whoever asks and however it is spelt."""

import asyncio
import itertools
from collections import Counter
from dataclasses import replace

from pydantic import SecretStr

from authbus import (
    ChangeEmail,
    ChangePassword,
    Code,
    Command,
    MailQueued,
    PasswordIsChanged,
    Registered,
    RegisterUser,
    Rejected,
    Reply,
    RequestPasswordReset,
    ResendVerification,
    ResetIsRequested,
)
from tests.rig.mailed import queued, show
from tests.rig.world import PASSWORD, World

VICTIM, MOST = "victim@example.com", 5
TOO_SOON = Rejected.because(Code.TOO_SOON)


async def ask(world: World, command: Command) -> Reply:
    return await world.web.ask(world.web.draft(command))


async def register(world: World, email: str, ip_address: str | None = None) -> Reply:
    return await ask(world, RegisterUser(email=email, password=PASSWORD, ip_address=ip_address))


async def time_passes(world: World, interval: str) -> None:
    async with world.database.transaction() as db:
        for table, column in (("attempts", "at"), ("codes", "made_at"), ("codes", "expires_at")):
            earlier = f"UPDATE {table} SET {column} = {column} - interval '{interval}'"
            await db.exec_driver_sql(earlier)


async def test_who_registers_from_one_place_beyond_the_limit_is_refused_and_mails_nobody(
    world: World,
) -> None:
    here, as_ipv6, elsewhere = "192.0.2.7", "::ffff:192.0.2.7", "::ffff:192.0.2.8"
    async with replace(world, settings={"guesses_per_source": 3}).consuming():
        let_in = [await register(world, f"user{each}@example.com", here) for each in range(2)]
        taken = await register(world, "user0@example.com", as_ipv6)
        beyond = [await register(world, each, here) for each in (VICTIM, "user0@example.com")]
        others = [
            await register(world, f"other{each}@example.com", place)
            for each, place in enumerate((elsewhere, None))
        ]
        await time_passes(world, "1 hour")
        later = await register(world, VICTIM, here)

    assert {type(each) for each in (*let_in, *others, later)} == {Registered}
    assert taken == Rejected.because(Code.EMAIL_TAKEN)
    assert beyond == [TOO_SOON] * 2
    mailed = [address for _, address in await queued(world)]
    assert mailed == [
        *(f"user{each}@example.com" for each in range(2)),
        *(f"other{each}@example.com" for each in range(2)),
        VICTIM,
    ]


async def test_one_mailbox_is_mailed_five_registrations_a_day_and_no_account_is_refused(
    world: World,
) -> None:
    dotted = [".".join("victim"[:each]) + "victim"[each:] for each in range(7)]
    spelt = [f"{each}+{tag}@example.com" for tag, each in enumerate(dotted)]
    async with world.consuming():
        answers = await asyncio.gather(*(register(world, each) for each in spelt))
        at_once = await queued(world)
        late = await register(world, VICTIM)
        session = await world.logged_in(VICTIM)
        await time_passes(world, "1 minute")
        resend = ResendVerification(access_token=session.access_token)
        that_day = await ask(world, resend)
        await time_passes(world, "1 day")
        next_day = await ask(world, resend)
        await register(world, "v.i.c.t.i.m@example.com")

    assert {type(each) for each in (*answers, late)} == {Registered}
    assert len(at_once) == MOST
    assert that_day == TOO_SOON
    assert isinstance(next_day, MailQueued)
    mailed = [address for _, address in await queued(world)]
    assert mailed[MOST:] == [VICTIM, "v.i.c.t.i.m@example.com"]


async def test_one_mailbox_is_mailed_five_changes_a_day_from_however_many_accounts(
    world: World,
) -> None:
    users = [f"user{each}@example.com" for each in range(6)]
    async with world.consuming():
        for each in users:
            await register(world, each)
        sessions = [await world.logged_in(each) for each in users]
        changes = [
            ChangeEmail(access_token=each.access_token, password=PASSWORD, new_email=VICTIM)
            for each in sessions
        ]
        answers = await asyncio.gather(*(ask(world, each) for each in changes))

    assert Counter(map(type, answers)) == {MailQueued: MOST, Rejected: 1}
    assert TOO_SOON in answers
    assert (await queued(world)).count(("change_email", VICTIM)) == MOST


async def test_who_registers_a_strangers_address_has_no_notice_sent_to_it(world: World) -> None:
    passwords = [PASSWORD, *(SecretStr(f"correct horse battery {each}") for each in range(3))]
    async with world.consuming():
        await register(world, VICTIM)
        session = await world.logged_in(VICTIM)
        for _ in range(20):
            await world.logged_in(VICTIM, device="x")
        changed = [
            await ask(
                world,
                ChangePassword(
                    access_token=session.access_token, current_password=old, new_password=new
                ),
            )
            for old, new in itertools.pairwise(passwords)
        ]
        unshown = await queued(world)
        await show(world, VICTIM)
        await world.logged_in(VICTIM, passwords[-1], device="x")

    assert {type(each) for each in changed} == {PasswordIsChanged}
    assert unshown == [("verify_email", VICTIM)]
    assert await queued(world) == [*unshown, ("new_device", VICTIM)]


async def test_one_mailbox_is_mailed_five_a_day_of_whatever_its_accounts_ask_for(
    world: World,
) -> None:
    spelt = [f"victim+{tag}@example.com" for tag in range(7)]
    async with world.consuming():
        for each in spelt[:3]:
            await register(world, each)
        sessions = [await world.logged_in(each) for each in spelt[:3]]
        await time_passes(world, "1 minute")
        resent = await asyncio.gather(
            *(ask(world, ResendVerification(access_token=each.access_token)) for each in sessions)
        )
        for each in spelt[3:]:
            await register(world, each)
        resets = [await ask(world, RequestPasswordReset(email=each)) for each in spelt]
        that_day = await queued(world)
        await time_passes(world, "1 day")
        await ask(world, RequestPasswordReset(email=spelt[0]))

    assert Counter(map(type, resent)) == {MailQueued: 2, Rejected: 1}
    assert {type(each) for each in resets} == {ResetIsRequested}
    assert [template for template, _ in that_day] == ["verify_email"] * MOST
    assert (await queued(world))[MOST:] == [("reset_password", spelt[0])]


async def test_a_mailbox_gets_five_mails_a_day_for_new_passwords_until_its_owner_shows_it(
    world: World,
) -> None:
    spelt = [f"victim+{tag}@example.com" for tag in range(3)]
    async with world.consuming():
        for each in spelt:
            await register(world, each)
            await ask(world, RequestPasswordReset(email=each))
        before = await queued(world)
        await show(world, spelt[2])
        await ask(world, RequestPasswordReset(email=spelt[2]))

    assert len(before) == MOST
    assert (await queued(world))[MOST:] == [("reset_password", spelt[2])]


async def test_an_owner_gets_five_resets_a_day_and_more_once_no_code_of_them_is_good(
    world: World,
) -> None:
    async with world.consuming():
        await register(world, VICTIM)
        await show(world, VICTIM)
        counts = list[int]()
        for passes in ("1 minute",) * 4 + ("1 hour",) + ("1 minute",) * 2 + ("1 hour", "1 day"):
            await ask(world, RequestPasswordReset(email=VICTIM))
            counts.append((await queued(world)).count(("reset_password", VICTIM)))
            await time_passes(world, passes)

    assert counts == [1, 2, 3, 4, 5, 6, 6, 6, 7]


async def test_what_others_have_mailed_to_a_mailbox_leaves_its_plain_address_two_resets_a_day(
    world: World,
) -> None:
    spelt = [f"victim+{tag}@example.com" for tag in range(MOST)]
    async with world.consuming():
        await asyncio.gather(*(register(world, each) for each in spelt))
        await register(world, VICTIM)
        for each in (*spelt, VICTIM, VICTIM, VICTIM):
            await ask(world, RequestPasswordReset(email=each))
            await time_passes(world, "1 minute")

    mailed = await queued(world)
    assert sorted(mailed[:MOST]) == [("verify_email", each) for each in spelt]
    assert mailed[MOST:] == [("reset_password", VICTIM)] * 2
