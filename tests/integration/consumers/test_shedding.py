"""What is not hashed, and that what is hashed costs the same for everybody."""

# pyright: reportPrivateUsage=false

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event

from authbus import Code, LogIn, Registered, RegisterUser, Rejected
from authbus.message import Command
from authbus_service.consumers.route import Saying
from authbus_service.consumers.speaker import Speaker
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Verified
from tests.rig.crowd import PASSWORD
from tests.rig.producing import Draft
from tests.rig.world import World

IN_FLIGHT = 128
ANA = "ana@example.com"
REGISTER = RegisterUser(email=ANA, password=PASSWORD)


async def test_a_command_that_finds_the_hash_pool_full_is_busy_and_stored_nowhere(
    world: World,
) -> None:
    web = world.web
    draft = web.draft(REGISTER)
    full = HashPool(world.hashes.hasher, bound=0)

    async with replace(world, hashes=full).consuming():
        busy = await web.ask(draft)
    assert await world.rows("SELECT id FROM inbox") == []
    async with world.consuming():
        again = await web.ask(draft)

    full.close()
    assert busy == Rejected.because(Code.BUSY)
    assert Code.BUSY.retryable
    assert isinstance(again, Registered)


class Slow(HashPool):
    """A pool whose queue is longer than any command may wait."""

    @property
    def wait_seconds(self) -> float:
        return 3600.0


async def test_a_command_that_would_be_hashed_too_late_is_shed_before_it_is_opened(
    world: World,
) -> None:
    web = world.web
    hashes = Slow(world.hashes.hasher)
    draft = web.draft(REGISTER)
    unopened = draft.but(value=b"x" * len(draft.value))

    async with replace(world, hashes=hashes).consuming():
        busy = await web.ask(unopened)
    async with world.consuming():
        again = await web.ask(draft)

    hashes.close()
    assert busy == Rejected.because(Code.BUSY)
    assert isinstance(again, Registered)


async def test_a_command_that_has_had_its_effect_gets_its_answer_again_while_hashes_queue(
    world: World,
) -> None:
    web = world.web
    hashes = Slow(world.hashes.hasher)
    draft = web.draft(REGISTER)

    async with world.consuming():
        first = await web.ask(draft)
    async with replace(world, hashes=hashes).consuming():
        again = await web.ask(web.draft(REGISTER, id_=draft.id))

    hashes.close()
    assert isinstance(first, Registered)
    assert again == first


class Queued(HashPool):
    """A pool with a queue of two seconds that counts what is hashed."""

    count: int = 0

    @property
    def wait_seconds(self) -> float:
        return 2.0

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        self.count += 1
        return await super().hash(password, salt)


async def test_while_hashes_queue_what_has_expired_or_will_before_its_hash_is_shed_unhashed(
    world: World,
) -> None:
    web = world.web
    hashes = Queued(world.hashes.hasher)
    async with replace(world, hashes=hashes).consuming():
        answers = {
            left: await web.ask(
                web.draft(
                    RegisterUser(email=f"user{number}@example.com", password=PASSWORD),
                    expirytime=datetime.now(UTC) + timedelta(seconds=left),
                )
            )
            for number, left in enumerate((-30, -1, 1, 2.5, 10))
        }

    hashes.close()
    busy = Rejected.because(Code.BUSY)
    assert [answers.pop(left) for left in (-30, -1, 1, 2.5)] == [busy] * 4
    assert [type(each) for each in answers.values()] == [Registered]
    assert hashes.count == 1
    assert len(await world.rows("SELECT id FROM inbox")) == 1


async def test_a_backlog_is_shed_no_faster_than_its_answers_go_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes, send = Slow(world.hashes.hasher), Speaker._send
    under_way = most = 0

    async def slowly(self: Speaker, saying: Saying) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.1)
        await send(self, saying)
        under_way -= 1

    monkeypatch.setattr(Speaker, "_send", slowly)
    drafts = [world.web.draft(REGISTER, key=b"%d" % each) for each in range(400)]
    await asyncio.gather(*(world.web.send(each) for each in drafts))
    async with replace(world, hashes=hashes).consuming():
        answers = [(await world.web.heard(each, 1, within=30))[0] for each in drafts]

    hashes.close()
    assert answers == [Rejected.because(Code.BUSY)] * len(drafts)
    assert 1 < most <= IN_FLIGHT


_WRITTEN = re.compile(r"INSERT INTO \w+|UPDATE \w+ SET|DELETE FROM \w+")


class Counting(HashPool):
    """Counts what is hashed."""

    count: int = 0

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.count += 1
        return await super().verify(phc, password)

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        self.count += 1
        return await super().hash(password, salt)


async def cost(world: World, hashes: Counting, draft: Draft) -> tuple[int, list[str]]:
    """How many hashes and which statements this command costs, itself alone."""
    said: list[str] = []

    def note(*told: Any) -> None:
        # The fence goes with a group's other writes, or alone, when it may.
        written = [each for each in _WRITTEN.findall(told[2]) if "fence" not in each]
        if written or "fence" not in told[2]:
            said.append("; ".join(written) or told[2])

    engine = world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    hashes.count = 0
    await world.web.ask(draft)
    event.remove(engine, "before_cursor_execute", note)
    return hashes.count, said


async def test_a_refused_log_in_costs_the_same_whether_the_account_is_there_or_not(
    world: World,
) -> None:
    web = world.web
    hashes = Counting(world.hashes.hasher)
    wrong = SecretStr("wrong horse battery")
    asks: list[Command] = [
        LogIn(email=ANA, password=wrong),
        LogIn(email="nobody@example.com", password=wrong),
        LogIn(email=ANA, password=SecretStr("")),
        LogIn(email="nobody@example.com", password=SecretStr("")),
        LogIn(email="no address", password=wrong),
    ]
    async with replace(world, hashes=hashes).consuming():
        await web.ask(web.draft(REGISTER))

        costs = [await cost(world, hashes, web.draft(each)) for each in asks]

    hashes.close()
    assert costs == [costs[0]] * len(asks)
    count, said = costs[0]
    assert count == 1
    assert len(said) == 11


async def test_a_registration_costs_the_same_whether_its_address_is_free_or_taken(
    world: World,
) -> None:
    web = world.web
    hashes = Counting(world.hashes.hasher)
    asks = [
        RegisterUser(email=each, password=PASSWORD, ip_address=place)
        for place, free in (("192.0.2.7", "bea@example.com"), (None, "cees@example.com"))
        for each in (free, ANA)
    ]
    async with replace(world, hashes=hashes).consuming():
        await web.ask(web.draft(REGISTER))

        costs = [await cost(world, hashes, web.draft(each)) for each in asks]

    hashes.close()
    assert costs == [costs[0]] * len(asks)
    assert (costs[0][0], len(costs[0][1])) == (1, 5)
    assert len(await world.rows("SELECT id FROM users")) == 3


async def test_a_command_long_expired_is_answered_and_stored_without_a_hash(world: World) -> None:
    web = world.web
    hashes = Counting(world.hashes.hasher)
    late = web.draft(REGISTER, expirytime=datetime.now(UTC) - timedelta(minutes=2))

    async with replace(world, hashes=hashes).consuming():
        first = await web.ask(late)

    hashes.close()
    assert first == Rejected.because(Code.EXPIRED)
    assert hashes.count == 0
    assert [row["id"] for row in await world.rows("SELECT id FROM inbox")] == [late.id]
