"""What a guess counts does not depend on when its command ends, nor on its process's clock."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus import LoggedIn, LogIn
from authbus_service.auth.guessing import repository
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.guessing.limits import Limits
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.core.security.passwords import Verified
from tests.integration.consumers.guessing import ANA, PATIENT, Counting, asked, register, right
from tests.rig.producing import LIFE, Draft
from tests.rig.world import World

SHORT, WAVES = timedelta(seconds=0.5), 4


class Slow(Counting):
    """Longer than the commands that ask for it are good."""

    async def verify(self, phc: str | None, password: str) -> Verified:
        await asyncio.sleep(WAVES * SHORT.total_seconds())
        return await super().verify(phc, password)


def short_lived(world: World) -> Draft:
    log_in = LogIn(email=ANA, password=SecretStr("wrong guess of an instant"))
    return world.web.draft(log_in, key=new_id().bytes, expirytime=datetime.now(UTC) + SHORT)


async def test_guesses_that_expire_while_they_are_checked_make_no_room_for_others(
    world: World,
) -> None:
    hashes = Slow(world.hashes)
    async with replace(world, hashes=hashes, settings=PATIENT).consuming():
        await register(world)
        waves = list[asyncio.Task[Any]]()
        for _ in range(WAVES):
            waves.append(asyncio.create_task(asked(world, [short_lived(world) for _ in range(5)])))
            await asyncio.sleep(1.2 * SHORT.total_seconds())
        await asyncio.gather(*waves)

    hashes.close()
    assert 1 <= hashes.verified <= PATIENT["guesses"]


async def test_a_log_in_is_let_in_by_a_process_whose_clock_says_that_it_has_expired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + LIFE + timedelta(seconds=10)

    async with world.consuming():
        await register(world)
        monkeypatch.setattr(clock, "datetime", Ahead)
        (answer,) = await asked(world, [right(world)])

    assert isinstance(answer, LoggedIn)


async def test_a_guess_that_was_forgiven_and_comes_again_is_held_once_more(world: World) -> None:
    limits, now = Limits(), datetime.now(UTC)
    one, other = (Attempt(b"key", new_id(), now + LIFE) for _ in range(2))

    async def reserved(*attempts: Attempt) -> list[Verdict]:
        async with world.database.transaction() as db:
            return [*(await repository.reserve(db, attempts, limits)).values()]

    async def states() -> list[str]:
        return [each["state"] for each in await world.rows("SELECT state FROM attempts")]

    await reserved(one)
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE attempts SET state = 'forgiven'"))
    again = await reserved(one, one)
    held = await states()
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE attempts SET state = 'forgiven'"))
        failed = "INSERT INTO attempts SELECT key, gen_random_uuid(), source, user_id, 'failed',"
        await db.execute(
            text(f"{failed} clock_timestamp(), expires_at FROM attempts, generate_series(1, 10)")
        )

    assert (again, held) == ([Verdict.HELD], ["held"])
    assert await reserved(one) == await reserved(other) == [Verdict.REFUSED]
