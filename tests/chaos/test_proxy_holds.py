"""What the proxy holds or delays still arrives, in its order."""

from time import monotonic

import pytest
from aiokafka import AIOKafkaProducer

from tests.chaos.faults import Fault, Side
from tests.chaos.probe import NEVER, Client, Topic
from tests.chaos.proxy import Proxy
from tests.chaos.rig import ProxiedListener
from tests.chaos.wire import Api, correlation_id, write_frame

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(30)]


async def test_a_client_comes_back_to_the_proxy_for_each_connection(
    listener: ProxiedListener, proxy: Proxy, topic: Topic
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=listener.proxied, transactional_id=topic.name)
    async with producer, producer.transaction():
        await producer.send_and_wait(topic.name, b"second")

    assert proxy.seen[Api.PRODUCE] == 2
    assert proxy.seen[Api.END_TXN] == 1


async def test_a_held_request_waits_and_other_connections_go_on(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    held = proxy.hold(Api.PRODUCE, client_id="probe")
    other = await Client.connect(proxy)

    await write_frame(client.writer, topic.append(1))
    await held.caught()
    passed = await other.ask(topic.append(2, b"other"))
    waited = await client.silent()
    length = await topic.length()
    held.release()

    assert (passed, waited, length) == (2, True, 2)
    assert await client.answer() == 1
    assert await topic.length() == 3
    assert proxy.counts == {Fault.HOLD: 1}
    other.writer.close()


async def test_requests_behind_a_held_one_keep_their_order(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    held = proxy.hold(Api.PRODUCE)

    for number in (1, 2, 3):
        await write_frame(client.writer, topic.append(number))
    waited = await client.silent()
    held.release()

    assert waited
    assert [await client.answer() for _ in range(3)] == [1, 2, 3]


async def test_a_held_request_is_applied_after_its_client_closed(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    held = proxy.hold(Api.PRODUCE)

    await write_frame(client.writer, topic.append(1))
    await held.caught()
    client.writer.close()
    await client.writer.wait_closed()
    before = await topic.length()
    held.release()
    answer = await held.answered()

    assert correlation_id(answer) == 1
    assert (before, await topic.length()) == (1, 2)


async def test_a_held_request_is_applied_after_its_connection_was_cut(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    held = proxy.hold(Api.PRODUCE)

    await write_frame(client.writer, topic.append(1))
    await held.caught()
    cut = proxy.cut("probe")
    gone = await client.answer()
    held.release()
    await held.answered()

    assert (cut, gone) == (1, None)
    assert await topic.length() == 2
    assert proxy.counts == {Fault.HOLD: 1, Fault.CUT: 1}


async def test_a_held_answer_belongs_to_a_request_that_is_applied(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    held = proxy.hold(Api.PRODUCE, side=Side.RESPONSE)

    await write_frame(client.writer, topic.append(1))
    await held.answered()
    length, waited = await topic.length(), await client.silent()
    held.release()

    assert (length, waited) == (2, True)
    assert await client.answer() == 1


@pytest.mark.parametrize("side", Side)
async def test_a_delay_passes_the_request_on_later(
    proxy: Proxy, topic: Topic, client: Client, side: Side
) -> None:
    proxy.delay(NEVER, Api.PRODUCE, side=side)

    started = monotonic()
    late = await client.ask(topic.append(1))
    taken = monotonic() - started
    prompt = await client.ask(topic.append(2))

    assert (late, prompt) == (1, 2)
    assert taken >= NEVER
    assert monotonic() - started < 2 * NEVER
    assert proxy.counts == {Fault.DELAY: 1}


@pytest.mark.parametrize(("side", "applied"), [(Side.REQUEST, 0), (Side.RESPONSE, 2)])
async def test_a_dropped_frame_takes_all_behind_it_along(
    proxy: Proxy, topic: Topic, client: Client, side: Side, applied: int
) -> None:
    proxy.drop(Api.PRODUCE, side=side)

    await write_frame(client.writer, topic.append(1))
    await write_frame(client.writer, topic.append(2))

    assert await client.silent()
    assert await topic.length() == 1 + applied
    assert proxy.counts == {Fault.DROP: 1}


async def test_calm_lets_go_what_is_held(proxy: Proxy, topic: Topic, client: Client) -> None:
    held = proxy.hold(Api.PRODUCE)
    await write_frame(client.writer, topic.append(1))
    await held.caught()

    proxy.calm()

    assert await client.answer() == 1
    assert await client.ask(topic.append(2)) == 2
