"""How long a refusal takes tells nobody why, at the full cost of a hash and all the way."""

import os
import random
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from authbus import Registered, RegisterUser, Rejected, RequestPasswordReset, ResetIsRequested
from authbus.message import Command
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from tests.entry.refused import LOG_INS, MANY, REFUSED, SETTINGS, with_accounts
from tests.rig.crowd import PASSWORD
from tests.rig.telling_apart import compared
from tests.rig.world import World

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("ROUNDS", "600"))


async def timed(world: World, command: Command) -> tuple[float, object]:
    draft = world.web.draft(command)
    began = time.perf_counter()
    answer = await world.web.ask(draft, within=30)
    return time.perf_counter() - began, answer


async def forget_attempts(world: World, *, but: int = MANY) -> None:
    """What a round has counted; whoever is locked stays so."""
    async with world.database.transaction() as db:
        few = "SELECT key FROM attempts GROUP BY key HAVING count(*) < :but"
        await db.execute(text(f"DELETE FROM attempts WHERE key IN ({few})"), {"but": but})
        await db.execute(text("UPDATE codes SET made_at = made_at - interval '1 minute'"))


def all_alike(took: dict[str, list[float]], usual: str) -> None:
    """Print how each kind stands to the usual one, and see that none is told from it."""
    found = {name: compared(took[usual], times) for name, times in took.items() if name != usual}
    for name, each in found.items():
        print(f"{name}: {each}")  # noqa: T201
    assert {name: str(each) for name, each in found.items() if not each.are_alike} == {}


async def test_every_refused_log_in_takes_the_same_time_whatever_is_wrong(world: World) -> None:
    hashes, chance = HashPool(Hasher(Cost(19456, 2))), random.Random(ROUNDS)
    took: dict[str, list[float]] = {name: [] for name in LOG_INS}
    async with replace(world, hashes=hashes, settings=SETTINGS).consuming():
        await with_accounts(world)
        for _ in range(ROUNDS):
            for name in chance.sample([*LOG_INS], len(LOG_INS)):
                seconds, answer = await timed(world, LOG_INS[name])
                took[name].append(seconds)
                assert answer == REFUSED
            await forget_attempts(world)

    hashes.close()
    all_alike(took, "wrong")


async def test_a_reset_is_asked_for_and_a_taken_address_refused_in_the_same_time_as_a_free_one(
    world: World,
) -> None:
    hashes = HashPool(Hasher(Cost(19456, 2)))
    took: dict[str, list[float]] = {"free": [], "taken": [], "known": [], "unknown": []}
    async with replace(world, hashes=hashes, settings=SETTINGS).consuming():
        await with_accounts(world)
        for each in range(ROUNDS):
            asks: dict[str, tuple[Command, type]] = {
                "free": (RegisterUser(email=f"new{each}@a.example", password=PASSWORD), Registered),
                "taken": (RegisterUser(email="wrong@example.com", password=PASSWORD), Rejected),
                "known": (RequestPasswordReset(email="wrong@example.com"), ResetIsRequested),
                "unknown": (RequestPasswordReset(email="no@example.com"), ResetIsRequested),
            }
            for name in random.Random(each).sample([*asks], len(asks)):
                command, kind = asks[name]
                seconds, answer = await timed(world, command)
                took[name].append(seconds)
                assert isinstance(answer, kind)
            await forget_attempts(world)

    hashes.close()
    all_alike({name: took[name] for name in ("known", "unknown")}, "known")
    all_alike({name: took[name] for name in ("free", "taken")}, "free")
