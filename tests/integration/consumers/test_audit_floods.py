"""Wrong guesses by the thousand: few records, with how many there were."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from authbus import (
    Code,
    LogIn,
    Rejected,
)
from authbus_service.audit import repository as audit
from authbus_service.consumers.auditing import SHOWN, close_minutes
from tests.integration.consumers.audited import WRONG, audited
from tests.rig.crowd import Crowd, email
from tests.rig.world import World

UNLOCKED = {"guesses": 100, "guesses_until_lock": 100}


async def test_a_flood_of_wrong_guesses_is_few_records_with_its_count(world: World) -> None:
    crowd, web = Crowd(world), world.web
    flood = 40
    async with replace(world, settings=UNLOCKED).consuming():
        (session,) = await crowd.with_sessions(1)
        guesses = [web.draft(LogIn(email=email(0), password=WRONG)) for _ in range(flood)]
        others = [web.draft(LogIn(email=email(9), password=WRONG)) for _ in range(flood)]
        answers = await crowd.asked([*guesses, *others])
        before = await close_minutes(world.database, before=datetime.now(UTC) - timedelta(hours=1))
        closed = await close_minutes(world.database, before=datetime.now(UTC) + timedelta(hours=1))
        again = await close_minutes(world.database, before=datetime.now(UTC) + timedelta(hours=1))

    assert set(map(repr, answers)) == {repr(Rejected.because(Code.INVALID_CREDENTIALS))}
    told = [each for _, _, each in await audited(world) if each.outcome == "invalid_credentials"]
    counted = Counter[Any]()
    for each in told:
        counted[each.subject] += each.count
    assert counted == {session.user_id: flood, None: flood}
    remembered = await world.rows("SELECT id FROM outbox WHERE aggregatetype = 'relay.v1'")
    named = [*(row["id"] for row in remembered), *(each.command_id for each in told)]
    assert sorted(filter(None, named)) == sorted(each.id for each in (*guesses, *others))
    # The test may run into the next minute, where counting starts anew.
    assert len(told) <= 4 * (SHOWN + 1)
    assert (before, again) == (0, 0)
    assert closed == sum(each.command_id is None for each in told) > 0


async def test_minutes_in_which_thousands_failed_are_closed_at_once(world: World) -> None:
    await have_failed(world, minutes=1250, accounts=2)

    closed = await close_minutes(world.database, before=datetime.now(UTC))

    assert await world.rows("SELECT key FROM audit_failures") == []
    assert closed == len(await audited(world)) == 1250


async def test_the_oldest_minute_is_closed_first(world: World) -> None:
    await have_failed(world, minutes=3, accounts=3)

    async with world.database.transaction() as db:
        taken = await audit.take(db, before=datetime.now(UTC), limit=3)

    assert len({each.key for each in taken}) == 3
    left = await world.rows("SELECT minute FROM audit_failures")
    assert max(each.minute for each in taken) < min(each["minute"] for each in left)


async def test_no_more_are_closed_at_once_by_a_plan_that_was_made_while_there_were_none(
    world: World,
) -> None:
    async with world.database.reading() as db:
        await db.execute(text("VACUUM ANALYZE audit_failures"))
    async with world.database.transaction() as db:
        # As PostgreSQL chooses by itself after some executions.
        await db.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        none = await audit.take(db, before=datetime.now(UTC), limit=3)
        await have_failed(world, minutes=10, accounts=10)
        taken = await audit.take(db, before=datetime.now(UTC), limit=3)

    assert (none, len(taken)) == ([], 3)


async def have_failed(world: World, *, minutes: int, accounts: int) -> None:
    """Each account in each minute: the first more often than is shown one by one."""
    async with world.database.transaction() as db:
        await db.execute(
            text("""
            INSERT INTO audit_failures (key, minute, command, outcome, client_id, failures)
            SELECT sha256(account::text::bytea),
                date_trunc('minute', now()) - make_interval(mins => 9 + minute),
                'authbus.LogIn.v1', 'invalid_credentials', 'web',
                CASE account WHEN 1 THEN 10 * :shown ELSE :shown END
            FROM generate_series(1, :minutes) minute, generate_series(1, :accounts) account
            """),
            {"minutes": minutes, "accounts": accounts, "shown": SHOWN},
        )
