"""Mails to a stranger's mailbox, on real servers: few, whoever asks and however it is spelt."""

import asyncio
from collections import Counter
from dataclasses import replace

from authbus import (
    ChangeEmail,
    Code,
    Command,
    MailQueued,
    Registered,
    RegisterUser,
    Rejected,
    Reply,
    ResendVerification,
)
from tests.rig.mailed import queued
from tests.rig.world import PASSWORD, World

VICTIM, MOST = "victim@example.com", 5
TOO_SOON = Rejected.because(Code.TOO_SOON)


async def ask(world: World, command: Command) -> Reply:
    return await world.web.ask(world.web.draft(command))


async def register(world: World, email: str, ip_address: str | None = None) -> Reply:
    return await ask(world, RegisterUser(email=email, password=PASSWORD, ip_address=ip_address))


async def time_passes(world: World, interval: str) -> None:
    async with world.database.transaction() as db:
        for table, column in (("attempts", "at"), ("codes", "made_at")):
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
        asked_for = await ask(world, ResendVerification(access_token=session.access_token))
        await time_passes(world, "1 day")
        await register(world, "v.i.c.t.i.m@example.com")

    assert {type(each) for each in (*answers, late)} == {Registered}
    assert len(at_once) == MOST
    assert isinstance(asked_for, MailQueued)
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
