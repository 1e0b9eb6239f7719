"""A forgotten password on real servers: one answer and one cost for every address."""

import time
from dataclasses import replace
from datetime import timedelta
from statistics import median

import pytest
from pydantic import SecretStr

from authbus import (
    Code,
    Command,
    CompletePasswordReset,
    EmailVerified,
    ForcePasswordReset,
    ListSessions,
    LogIn,
    PasswordChanged,
    PasswordIsChanged,
    PasswordIsVoid,
    PasswordReason,
    PasswordResetRequested,
    RegisterUser,
    Rejected,
    Reply,
    RequestPasswordReset,
    ResetIsRequested,
    UserLocked,
    UserUnlocked,
)
from authbus_service.auth.codes.code import Purpose
from tests.integration.consumers.test_shedding import Counting, cost
from tests.rig.mailed import code, queued, show
from tests.rig.operators import by_operator
from tests.rig.world import EMAIL, PASSWORD, World

NOBODY = "nobody@example.com"
NEW = SecretStr("staple them together")
FREE = {"guesses": 100, "guesses_until_lock": 100, "guesses_per_source": 100_000}


async def ask(world: World, command: Command) -> Reply:
    return await world.web.ask(world.web.draft(command))


async def registered(world: World, email: str = EMAIL) -> None:
    await ask(world, RegisterUser(email=email, password=PASSWORD))


async def a_minute_passes(world: World) -> None:
    async with world.database.transaction() as db:
        await db.exec_driver_sql("UPDATE codes SET made_at = made_at - interval '1 minute'")


async def setting(world: World, template: str = "reset_password") -> CompletePasswordReset:
    """Set the new password by the code of the newest mail."""
    found = await code(world, Purpose.RESET_PASSWORD, EMAIL, template=template)
    return CompletePasswordReset(code=SecretStr(found), new_password=NEW)


async def test_the_code_of_a_mail_sets_a_password_once_and_ends_every_session(
    world: World,
) -> None:
    async with world.consuming():
        one, _ = await world.session(), await world.logged_in()
        await ask(world, RequestPasswordReset(email="Ana@Example.com"))
        draft = world.web.draft(await setting(world))
        changed = [await world.web.ask(draft) for _ in range(2)]
        again = await ask(world, await setting(world))
        old = await ask(world, LogIn(email=EMAIL, password=PASSWORD))
        ended = await ask(world, ListSessions(access_token=one.access_token))
        await world.logged_in(password=NEW)

    assert changed == [PasswordIsChanged(sessions_ended=2)] * 2
    assert again == Rejected.because(Code.CODE_INVALID)
    assert old == Rejected.because(Code.INVALID_CREDENTIALS)
    assert ended == Rejected.because(Code.INVALID_TOKEN)
    events = await world.events()
    kinds = [type(each) for each in events]
    assert kinds[3:6] == [PasswordResetRequested, PasswordChanged, EmailVerified]
    assert [e.reason for e in events if isinstance(e, PasswordChanged)] == [PasswordReason.RESET]
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    assert await queued(world) == [
        ("verify_email", EMAIL),
        ("reset_password", EMAIL),
        ("password_changed", EMAIL),
    ]


async def test_a_reset_ends_a_lock_and_lets_its_user_in_at_once(world: World) -> None:
    hasty = replace(world, settings={"guesses": 1, "guesses_until_lock": 1})
    async with hasty.consuming():
        await registered(world)
        await ask(world, LogIn(email=EMAIL, password=NEW))
        locked = await ask(world, LogIn(email=EMAIL, password=PASSWORD))
        await ask(world, RequestPasswordReset(email=EMAIL))
        await ask(world, await setting(world))
        await world.logged_in(password=NEW)

    assert locked == Rejected.because(Code.INVALID_CREDENTIALS)
    kinds = [type(each) for each in await world.events()]
    assert (kinds.count(UserLocked), kinds.count(UserUnlocked)) == (1, 1)


async def test_a_request_costs_and_says_the_same_whether_the_account_is_there_or_not(
    world: World,
) -> None:
    hashes = Counting(world.hashes.hasher)
    asks = [RequestPasswordReset(email=each) for each in (EMAIL, NOBODY, EMAIL, "x@example.com")]
    async with replace(world, hashes=hashes, settings=FREE).consuming():
        await registered(world)
        # From here on the consumers of this topic are let in too, and ask nothing beside.
        await ask(world, RequestPasswordReset(email="earlier@example.com"))

        costs = [await cost(world, hashes, world.web.draft(each)) for each in asks]
        answers = [await ask(world, each) for each in asks]

    hashes.close()
    assert costs == [costs[0]] * len(asks)
    assert costs[0][0] == 0
    assert len(costs[0][1]) == 11
    assert {type(each) for each in answers} == {ResetIsRequested}
    assert await queued(world) == [("verify_email", EMAIL), ("reset_password", EMAIL)]


@pytest.mark.nightly
async def test_a_request_takes_the_same_time_whether_the_account_is_there_or_not(
    world: World,
) -> None:
    took: dict[str, list[float]] = {EMAIL: [], NOBODY: []}
    async with replace(world, settings=FREE).consuming():
        await registered(world)
        for each in range(200):
            in_turn = list(took.items()) if each % 2 else [*reversed(took.items())]
            for email, times in in_turn:
                async with world.database.transaction() as db:
                    await db.exec_driver_sql("DELETE FROM attempts")
                    await db.exec_driver_sql("UPDATE codes SET used_at = now()")
                began = time.perf_counter()
                await ask(world, RequestPasswordReset(email=email))
                times.append(time.perf_counter() - began)

    assert len(await queued(world)) == 201
    known, unknown = (median(each[20:]) for each in took.values())
    assert known == pytest.approx(unknown, rel=0.15)


async def test_a_mailbox_is_not_flooded_and_a_source_asks_only_so_often(world: World) -> None:
    here = "192.0.2.7"
    settings = {"guesses_per_source": 3, **{k: FREE[k] for k in ("guesses", "guesses_until_lock")}}
    others = [f"user{each}@example.com" for each in range(3)]
    async with replace(world, settings=settings).consuming():
        for email in (EMAIL, *others):
            await registered(world, email)
        await show(world, EMAIL)
        for _ in range(7):
            await ask(world, RequestPasswordReset(email=EMAIL))
            await ask(world, RequestPasswordReset(email=EMAIL))
            await a_minute_passes(world)
        answers = [
            await ask(world, RequestPasswordReset(email=email, ip_address=here))
            for email in (NOBODY, *others)
        ]

    resets = [address for template, address in await queued(world) if template == "reset_password"]
    assert resets == [EMAIL] * 5 + others[:2]
    assert {type(each) for each in answers} == {ResetIsRequested}


async def test_a_password_that_was_taken_away_is_replaced_by_the_code_of_its_mail(
    world: World,
) -> None:
    async with world.consuming():
        user = (await world.session()).user_id
        draft = by_operator(
            world, lambda proof: ForcePasswordReset(access_token=proof, user_id=user)
        )
        forced = [await world.web.ask(draft) for _ in range(2)]
        old = await ask(world, LogIn(email=EMAIL, password=PASSWORD))
        await ask(world, await setting(world, "force_reset"))
        await world.logged_in(password=NEW)

    assert forced == [PasswordIsVoid(user_id=user, sessions_ended=1)] * 2
    assert old == Rejected.because(Code.INVALID_CREDENTIALS)


async def test_a_code_whose_hour_is_over_sets_nothing(world: World) -> None:
    async with world.consuming():
        await registered(world)
        await ask(world, RequestPasswordReset(email=EMAIL))
        async with world.database.transaction() as db:
            await db.exec_driver_sql("UPDATE codes SET expires_at = now()")
        late = await ask(world, await setting(world))
        await world.logged_in()

    assert late == Rejected.because(Code.CODE_INVALID)
    (kept,) = await world.rows("SELECT * FROM codes WHERE purpose = 'reset_password'")
    assert kept["used_at"] is None
    assert Purpose.RESET_PASSWORD.lifetime == timedelta(hours=1)
