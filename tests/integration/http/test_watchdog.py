"""The watchdog on real servers: it knows who is away, and leaves who joins or waits alone."""

import asyncio

import pytest
from pydantic import SecretStr

from authbus.commands import GetProfile
from authbus_service.core import watchdog
from authbus_service.core.watchdog import StalledError
from authbus_service.embedded import Addresses
from authbus_service.relay.state import RelayState
from authbus_service.startup.watchdog import Answering, under_watch
from tests.rig.crowd import until
from tests.rig.world import World

NOBODY = "127.0.0.1:9"
ASKED = GetProfile(access_token=SecretStr("none"))


@pytest.fixture
def servers(addresses: Addresses, database_url: str) -> Answering:
    return Answering({"bootstrap_servers": addresses.bootstrap_servers}, database_url)


async def test_servers_answer_only_when_both_do(servers: Answering) -> None:
    no_kafka = Answering({"bootstrap_servers": NOBODY}, servers.database_url)
    no_database = Answering(servers.kafka, f"postgresql+asyncpg://authbus@{NOBODY}/authbus")

    answers = [await each.answer() for each in (servers, no_kafka, no_database)]

    assert answers == [True, False, False]


async def test_a_handler_that_never_returns_is_a_stall(
    world: World, servers: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[float] = []
    monkeypatch.setattr(watchdog, "end_after", ended.append)
    goes_on = asyncio.Event()

    async def wait(_: object) -> None:
        await goes_on.wait()

    async with world.consuming() as consumers:
        monkeypatch.setattr(consumers.intakes[1].lanes, "_handle", wait)
        async with under_watch(consumers, RelayState(), servers, seconds=1) as ends:
            await world.web.send(world.web.draft(ASKED))
            with pytest.raises(StalledError, match="handling of cheap commands"):
                await asyncio.wait_for(ends, 20)
        goes_on.set()

    assert len(ended) == 1


async def test_records_that_are_not_fetched_are_a_stall(
    world: World, servers: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "end_after", float)
    async with (
        world.consuming() as consumers,
        under_watch(consumers, RelayState(), servers, seconds=1) as ends,
    ):
        await until(consumers.intakes[1].member)
        member = consumers.intakes[1].member()
        assert member is not None
        member.consumer.pause(*member.partitions.values())
        await world.web.send(world.web.draft(ASKED))
        with pytest.raises(StalledError, match="fetching of cheap commands"):
            await asyncio.wait_for(ends, 20)


@pytest.mark.slow
async def test_a_start_an_idle_hour_and_a_rebalance_are_no_stall(
    world: World, servers: Answering
) -> None:
    async with (
        world.consuming() as first,
        under_watch(first, RelayState(), servers, seconds=3) as ends,
    ):
        await asyncio.sleep(4)
        async with (
            world.consuming() as second,
            under_watch(second, RelayState(), servers, seconds=3) as others,
        ):
            reply = await world.web.ask(world.web.draft(ASKED))
            await asyncio.sleep(4)
            assert not others.done()
        await asyncio.sleep(2)

    assert ends.cancelled() or not ends.done()
    assert reply.wire_type() == "authbus.Rejected.v1"
