"""A stranger's transaction on the relay's topics holds readers back, and the relay not at all."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from authbus_service.relay.errors import HangingError
from authbus_service.relay.hidden import Hidden
from authbus_service.relay.past import Past
from tests.integration.relay.forgotten import (
    ABORTED,
    FORGOTTEN_TO_DELETE,
    an_event,
    memory_of,
    past_of,
    place_of,
    say,
    seen,
    settle,
)
from tests.integration.relay.world import World, running, until

Stranger = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def stranger(world: World) -> Stranger:
    """Has a transaction open where the events of Ana are, and aborts it in the end."""

    @asynccontextmanager
    async def hanging() -> AsyncGenerator[None]:
        place = place_of(world, "ana")
        async with AIOKafkaProducer(
            bootstrap_servers=world.servers, transactional_id=f"{world.namespace}.stranger"
        ) as producer:
            await producer.begin_transaction()
            headers = [("ce_id", str(uuid4()).encode())]
            await producer.send_and_wait(*place[:1], b"?", partition=place[1], headers=headers)
            yield
            await producer.abort_transaction()

    return hanging


async def test_nothing_of_it_is_said_and_the_relay_goes_on(
    world: World, stranger: Stranger
) -> None:
    relay = world.relay()

    async with stranger():
        async with running(relay):
            for number in range(3):
                await world.write(an_event("ana", f"{number}"), an_event("ben", f"{number}"))
                await world.until_said()
        await settle(world)

    assert relay.state.restarts == {}
    assert await seen(world) == {key: [b"0", b"1", b"2"] for key in (b"ana", b"ben")}


async def test_rows_that_were_said_behind_it_are_not_said_again(
    world: World, stranger: Stranger
) -> None:
    event = an_event("ana", "said")

    async with stranger():
        await world.write(event)
        await say(world, [event], [], FORGOTTEN_TO_DELETE)
        await settle(world)

    assert await seen(world) == {b"ana": [b"said"]}


@pytest.mark.parametrize("outcome", [FORGOTTEN_TO_DELETE, ABORTED])
async def test_what_hangs_beside_it_is_ended_and_said_once(
    world: World, stranger: Stranger, outcome: str
) -> None:
    event = an_event("ana", "said")

    async with stranger():
        await world.write(event)
        await say(world, [event], [place_of(world, "ana")], outcome)
        await settle(world)

    assert await seen(world) == {b"ana": [b"said"]}


async def test_what_it_hides_is_not_taken_for_what_was_never_committed(
    world: World, stranger: Stranger
) -> None:
    event, relay = an_event("ana", "said"), world.relay()

    async def decided() -> bool:
        return bool(relay.state.restarts) or not await world.waiting()

    async with stranger():
        await world.write(event)
        await say(world, [event], [memory_of(world)], FORGOTTEN_TO_DELETE)
        async with running(relay):
            await until(decided)
    await settle(world)

    assert await seen(world) == {b"ana": [b"said"]}


async def test_a_relay_that_leads_notices_it(world: World, stranger: Stranger) -> None:
    async with stranger():
        with pytest.raises(HangingError, match=r"records are hidden on"):
            await past_of(world).watch(0.05, 0.3)


async def test_a_look_that_kafka_does_not_answer_is_made_again(
    world: World, stranger: Stranger, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [KafkaConnectionError(), TimeoutError()]
    hidden = Past.hidden

    async def asked(past: Past) -> Hidden:
        if left:
            raise left.pop()
        return await hidden(past)

    monkeypatch.setattr(Past, "hidden", asked)
    async with stranger():
        with pytest.raises(HangingError, match=r"records are hidden on"):
            await past_of(world).watch(0.05, 0.3)
