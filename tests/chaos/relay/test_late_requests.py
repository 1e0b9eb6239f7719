"""A request that arrives late, or is lost, neither tears a batch nor shows what was aborted."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from authbus.topics import EVENTS
from authbus_service.embedded import Addresses
from authbus_service.relay.loop import Pace, Relay
from authbus_service.relay.producer import TransactionalProducer
from tests.chaos.faults import Side
from tests.chaos.proxy import Proxy
from tests.chaos.rig import ProxiedListener
from tests.chaos.wire import Api
from tests.integration.relay.world import World, a_record, running

PACE = Pace(deadline=1.5, heartbeat=60.0, first_retry=0.01, last_retry=0.1)
FIRST, SECOND = b"first half", b"second half"
HOW = [
    pytest.param(True, id="cut"),
    pytest.param(False, id="silent", marks=pytest.mark.gate),
]
HALF_BYTES = 200_000  # two of these do not fit into one batch of a partition


class Trusting(TransactionalProducer):
    """The control: lets aiokafka send a request again that was not answered."""

    def _make(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._client,
            transactional_id=self._transactional_id,
            max_batch_size=262_144,
            request_timeout_ms=400,
            retry_backoff_ms=20,
        )

    def _watch(self, producer: AIOKafkaProducer) -> None:
        return


class TrustingRelay(Relay):
    def _make_producer(self) -> TransactionalProducer:
        name = f"{self._namespace}.relay"
        return Trusting(self._client, transactional_id=name, deadline=30.0)


@pytest.fixture
def addresses(shared: Addresses, listener: ProxiedListener) -> Addresses:
    return Addresses(listener.direct, shared.database_url)


@pytest.fixture
async def proxy(listener: ProxiedListener) -> AsyncIterator[Proxy]:
    async with listener.proxy() as one:
        yield one


@pytest.fixture
def behind(world: World, listener: ProxiedListener) -> World:
    """The same world for a relay behind the proxy."""
    return replace(world, servers=listener.proxied)


def half(value: bytes) -> Any:
    return a_record("ana", value.ljust(HALF_BYTES, b"."))


async def seen(world: World) -> list[bytes]:
    """What a read_committed reader has, and how often."""
    return [(record.value or b"").rstrip(b".") for record in await world.read()]


async def late_end(
    world: World, proxy: Proxy, relay: Relay, cut: bool, looks: int = 1
) -> list[bytes]:
    """Let the end of one batch arrive in the middle of the next; what is to be seen just then.

    Who expects to see a half of it looks again and again.
    """
    mine = f"{world.namespace}.relay"
    await world.write(a_record("ana", b"whole"))
    end = proxy.hold(Api.END_TXN, client_id=mine)
    async with running(relay):
        await end.caught()
        if cut:
            proxy.cut(mine)
        middle = proxy.hold(Api.PRODUCE, client_id=mine, containing=SECOND, times=None)
        await world.write(half(FIRST), half(SECOND))
        await middle.caught()
        end.release()
        await end.answered()
        just_then = list[bytes]()
        while looks and FIRST not in just_then:
            await asyncio.sleep(0.5)  # Kafka writes the markers after it has answered
            just_then, looks = await seen(world), looks - 1
        middle.release()
        await world.until_said()
    return just_then


@pytest.mark.parametrize("cut", HOW)
async def test_a_late_end_does_not_tear_the_next_batch(
    world: World, behind: World, proxy: Proxy, cut: bool
) -> None:
    just_then = await late_end(world, proxy, behind.relay(pace=PACE), cut)

    # What had missed its deadline may have been said again, alone.
    assert just_then in ([], [b"whole"])
    assert await seen(world) == [b"whole", FIRST, SECOND]


@pytest.mark.parametrize("cut", HOW)
async def test_a_late_end_tears_the_next_batch_of_a_relay_that_trusts_its_client(
    world: World, behind: World, proxy: Proxy, cut: bool
) -> None:
    just_then = await late_end(world, proxy, behind.relay(TrustingRelay, pace=PACE), cut, looks=40)

    assert just_then == [b"whole", FIRST]
    assert await seen(world) != [b"whole", FIRST, SECOND]


async def test_a_late_record_is_not_shown_a_second_time(
    world: World, behind: World, proxy: Proxy
) -> None:
    mine = f"{world.namespace}.relay"
    await world.write(a_record("ana", b"1"), a_record("ana", b"2"))
    late = proxy.hold(Api.PRODUCE, client_id=mine, containing=EVENTS.suffix.encode())

    async with running(behind.relay(pace=PACE)):
        await late.caught()
        end = proxy.hold(Api.END_TXN, client_id=mine)
        await end.caught()
        late.release()
        await late.answered()
        just_then = await seen(world)
        end.release()
        await world.until_said()

    assert just_then == []
    assert await seen(world) == [b"1", b"2"]


@pytest.mark.parametrize(
    "side",
    [
        pytest.param(Side.REQUEST, marks=pytest.mark.gate),
        pytest.param(Side.RESPONSE, marks=pytest.mark.nightly),
    ],
)
@pytest.mark.parametrize("api", [Api.ADD_PARTITIONS_TO_TXN, Api.PRODUCE, Api.END_TXN])
async def test_whatever_happens_to_a_request_each_row_is_said_once(
    world: World, behind: World, proxy: Proxy, api: Api, side: Side
) -> None:
    mine = f"{world.namespace}.relay"
    said: list[bytes] = []

    async with running(behind.relay(pace=replace(PACE, deadline=0.7))):
        for fault in (proxy.cut_at, proxy.drop, proxy.half_close):
            await world.write(a_record("ana", b"0"))
            await world.until_said()
            rule = fault(api, client_id=mine, side=side)
            rows = [f"{rule.fault} {n}".encode() for n in range(3)]
            await world.write(*(a_record("ana", row) for row in rows))
            await rule.caught()
            await world.until_said()
            said += [b"0", *rows]

    assert await seen(world) == said
    assert set(proxy.counts.values()) == {1}
