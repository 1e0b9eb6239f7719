"""Wrong and right passwords, many at once, and how many of them were checked."""

import asyncio
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from authbus import (
    Code,
    LogIn,
    RegisterUser,
    Rejected,
)
from authbus.message import Reply
from authbus_service.core.ids import new_id
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Verified
from tests.rig.crowd import PASSWORD
from tests.rig.producing import Draft
from tests.rig.world import World

ANA = "ana@example.com"
WRONG = Rejected.because(Code.INVALID_CREDENTIALS)
# No wait runs out while a test runs, and none is far from a lock.
PATIENT = {"guess_wait_seconds": 600, "guesses": 5, "guesses_until_lock": 5}
HASTY = {"guess_wait_seconds": 0, "guesses": 3, "guesses_until_lock": 3, "lock_seconds": 2}


class Counting(HashPool):
    """Counts what is verified. A verify takes a while, so that others come meanwhile."""

    def __init__(self, pool: HashPool) -> None:
        super().__init__(pool.hasher)
        self.verified = 0

    async def verify(self, phc: str | None, password: str) -> Verified:
        self.verified += 1
        await asyncio.sleep(0.02)
        return await super().verify(phc, password)


def guess(
    world: World, number: int, email: str = ANA, *, id_: UUID | None = None, **more: Any
) -> Draft:
    log_in = LogIn(email=email, password=SecretStr(f"wrong guess number {number}"), **more)
    return world.web.draft(log_in, key=new_id().bytes, id_=id_)


def right(world: World, **more: Any) -> Draft:
    return world.web.draft(LogIn(email=ANA, password=PASSWORD, **more), key=new_id().bytes)


async def asked(world: World, drafts: list[Draft]) -> list[Reply]:
    await asyncio.gather(*(world.web.send(each) for each in drafts))
    return [
        heard[0] for heard in await asyncio.gather(*(world.web.heard(each, 1) for each in drafts))
    ]


async def guesses(world: World) -> list[dict[str, Any]]:
    """All that are known; a registration leaves a row of its own."""
    return await world.rows("SELECT * FROM attempts WHERE state <> 'counted'")


async def register(world: World) -> None:
    await world.web.ask(world.web.draft(RegisterUser(email=ANA, password=PASSWORD)))
