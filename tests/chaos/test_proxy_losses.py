"""What the proxy loses or cuts is lost for the right side, and for nobody else."""

import asyncio

import pytest

from tests.chaos.faults import Fault, Side
from tests.chaos.probe import NEVER, Client, Topic
from tests.chaos.proxy import Door, Proxy
from tests.chaos.rig import ProxiedListener
from tests.chaos.wire import Api, write_frame

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(30)]


async def test_a_link_dead_one_way_serves_new_connections_once_lifted(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    dead = proxy.drop(times=None)

    await write_frame(client.writer, topic.append(1))
    second = await Client.connect(proxy)
    await write_frame(second.writer, topic.append(2))
    silent = await client.silent() and await second.silent()
    dead.lift()
    third = await Client.connect(proxy)

    assert silent
    assert await third.ask(topic.append(3)) == 3
    assert await topic.length() == 2
    assert proxy.counts == {Fault.DROP: 2}
    for one in (second, third):
        one.writer.close()


async def test_a_half_close_towards_the_client_still_lets_it_speak(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    closed = proxy.half_close(Api.PRODUCE, side=Side.RESPONSE)

    first = await client.ask(topic.append(1))
    await closed.answered()
    await write_frame(client.writer, topic.append(2))
    await asyncio.sleep(NEVER)

    assert first is None
    assert await topic.length() == 3
    assert proxy.counts == {Fault.HALF_CLOSE: 1}


async def test_a_half_close_towards_the_broker_answers_what_came_before(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    proxy.half_close(Api.PRODUCE, skip=1)

    await write_frame(client.writer, topic.append(1))
    await write_frame(client.writer, topic.append(2))

    assert [await client.answer(), await client.answer()] == [1, None]
    assert await topic.length() == 2


async def test_behind_another_door_all_goes_on(listener: ProxiedListener, topic: Topic) -> None:
    async with Proxy(Door(listener.broker_port), Door(listener.broker_port)) as proxy:
        dead = proxy.drop(times=None, door=1)
        first, second = [await Client.connect(proxy, door) for door in (0, 1)]

        await write_frame(second.writer, topic.append(1))
        answer = await first.ask(topic.append(2))

        assert answer == 2
        assert await second.silent()
        assert [each.correlation_id for each in dead.requests] == [1]
        for one in (first, second):
            one.writer.close()


@pytest.mark.parametrize(("side", "applied"), [(Side.REQUEST, 0), (Side.RESPONSE, 1)])
async def test_a_cut_before_or_after_the_request_is_applied(
    proxy: Proxy, topic: Topic, client: Client, side: Side, applied: int
) -> None:
    proxy.cut_at(Api.PRODUCE, side=side)

    answer = await client.ask(topic.append(1))

    assert answer is None
    assert await topic.length() == 1 + applied
    assert proxy.counts == {Fault.CUT: 1}


async def test_a_cut_spares_other_clients(proxy: Proxy, topic: Topic, client: Client) -> None:
    other = await Client.connect(proxy)
    await client.ask(topic.append(1))
    await other.ask(topic.append(2, b"other"))

    cut = proxy.cut("probe")

    assert cut == 1
    assert await client.answer() is None
    assert await other.ask(topic.append(3, b"other")) == 3
    other.writer.close()


async def test_refused_connections_end_at_once_until_it_is_over(proxy: Proxy, topic: Topic) -> None:
    proxy.refuse()
    refused = await Client.connect(proxy)
    ended = await refused.answer()
    proxy.calm()
    welcome = await Client.connect(proxy)

    assert ended is None
    assert await welcome.ask(topic.append(1)) == 1
    assert proxy.counts == {Fault.REFUSE: 1}
    for one in (refused, welcome):
        one.writer.close()


async def test_an_answer_that_never_comes_is_an_error_of_the_connection(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    lost = proxy.cut_at(Api.PRODUCE)

    await client.ask(topic.append(1))

    with pytest.raises(ConnectionError):
        await lost.answered()
