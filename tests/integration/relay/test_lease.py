"""One relay at a time, and a delete only by the one that still leads."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from authbus_service.outbox.repository import Said
from authbus_service.relay.errors import LeaseLostError
from authbus_service.relay.lease import Lease
from authbus_service.relay.loop import Relay
from authbus_service.relay.models import RelayLease
from tests.integration.relay.world import World, a_record, running, until

SECONDS = 0.5
AN_HOUR = timedelta(hours=1)


def a_lease(world: World, seconds: float = SECONDS) -> Lease:
    return Lease(world.database, holder=uuid4(), seconds=seconds)


async def elapsed(lease: Lease) -> float:
    start = asyncio.get_running_loop().time()
    await lease.take()
    return asyncio.get_running_loop().time() - start


async def held(world: World, lease: Lease) -> bool:
    async with world.database.reading() as db:
        return bool(await db.scalar(select(lease.held())))


async def usurp(world: World) -> None:
    """Take the lease in another's name, now."""
    async with world.database.transaction() as db:
        await db.execute(update(RelayLease).values(number=RelayLease.number + 1, holder=uuid4()))


async def renewed_at(world: World) -> datetime | None:
    async with world.database.reading() as db:
        return await db.scalar(select(RelayLease.renewed_at))


async def test_a_fresh_lease_is_taken_at_once_and_an_old_one_when_it_is_old(world: World) -> None:
    first, second = a_lease(world), a_lease(world)

    assert await elapsed(first) < SECONDS
    assert await elapsed(second) >= SECONDS * 0.8
    assert (first.number, second.number) == (1, 2)
    assert not await held(world, first)
    assert await held(world, second)


async def test_a_lease_that_is_kept_is_not_taken(world: World) -> None:
    first, second = a_lease(world), a_lease(world)
    await first.take()
    keeping = asyncio.create_task(first.keep())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3 * SECONDS):
            await second.take()

    assert await held(world, first)
    keeping.cancel()


async def test_a_released_lease_is_taken_at_once(world: World) -> None:
    first, second = a_lease(world, 60), a_lease(world, 60)
    await first.take()

    await first.release()

    async with asyncio.timeout(5):
        await second.take()
    assert second.number == 2


async def test_a_lease_that_is_dated_in_the_future_is_taken_at_once_and_its_holder_notices(
    world: World,
) -> None:
    first, second = a_lease(world, 60), a_lease(world, 60)
    await first.take()
    async with world.database.transaction() as db:
        await db.execute(update(RelayLease).values(renewed_at=RelayLease.renewed_at + AN_HOUR))

    async with asyncio.timeout(5):
        await second.take()
    with pytest.raises(LeaseLostError):
        await first.renew()

    assert (second.number, await held(world, first)) == (2, False)
    assert await held(world, second)


async def test_the_holder_may_take_it_again_with_a_new_number(world: World) -> None:
    lease = a_lease(world, 60)

    await lease.take()
    await lease.take()

    assert lease.number == 2


async def test_a_taken_lease_cannot_be_renewed_nor_released(world: World) -> None:
    first = a_lease(world, 60)
    await first.take()
    await usurp(world)
    before = await renewed_at(world)

    with pytest.raises(LeaseLostError):
        await first.renew()
    await first.release()

    assert not await held(world, first)
    assert await renewed_at(world) == before


async def test_a_process_that_slept_too_long_has_lost_it_without_asking(world: World) -> None:
    lease = a_lease(world)
    await lease.take()
    await asyncio.sleep(SECONDS)

    with pytest.raises(LeaseLostError):
        await lease.keep()


async def test_a_standby_is_idle_until_the_leader_is_gone(world: World) -> None:
    leader, standby = world.relay(lease_seconds=2), world.relay(lease_seconds=2)

    async def leads() -> bool:
        return leader.state.leading

    async with AsyncExitStack() as others:
        async with running(leader):
            await until(leads)
            await others.enter_async_context(running(standby))
            await world.write(a_record())
            await world.until_said()
            await asyncio.sleep(2.5)
            idle = not standby.state.leading
        await world.write(a_record())
        await world.until_said()

    assert idle
    assert (leader.state.said, standby.state.said) == (1, 1)
    assert standby.state.restarts.total() == leader.state.restarts.total() == 0
    assert len(await world.read()) == 2


async def test_who_lost_the_lease_after_the_commit_deletes_nothing(world: World) -> None:
    class Overtaken(Relay):
        async def _forget(self, said: list[Said]) -> None:
            await usurp(world)
            await super()._forget(said)

    async def failed() -> bool:
        return relay.state.restarts.total() > 0

    await world.write(a_record())
    relay = world.relay(Overtaken, lease_seconds=60)
    async with running(relay):
        await until(failed)
        left = await world.waiting()

    assert left == 1
    assert relay.state.said == 0
