"""Each fault of the proxy is seen to happen to a real broker's real clients."""

import asyncio
import struct
from collections.abc import AsyncIterator
from time import monotonic
from uuid import uuid4

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.chaos.faults import Fault, Match, Rule, Side
from tests.chaos.proxy import Proxy
from tests.chaos.rig import ProxiedListener, proxied_listener
from tests.chaos.wire import Api, Request, correlation_id, read_frame, write_frame

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(30)]

NEVER = 0.15
"""Seconds after which something that would take a millisecond has not happened."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listener() -> AsyncIterator[ProxiedListener]:
    plan = proxied_listener()
    async with plan.stack():
        yield plan


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(listener: ProxiedListener) -> AsyncIterator[Proxy]:
    async with listener.proxy() as one:
        yield one


class Topic:
    """A topic of one partition, with a ready-made request that appends one record to it."""

    def __init__(self, listener: ProxiedListener, frame: bytes, name: str) -> None:
        self.name = name
        self._frame = frame
        self._listener = listener

    def append(self, number: int, client_id: bytes = b"probe") -> bytes:
        """Give the request again, under this correlation id."""
        return (
            self._frame[:4]
            + struct.pack(">i", number)
            + self._frame[8:].replace(b"maker", client_id, 1)
        )

    async def length(self) -> int:
        async with AIOKafkaConsumer(bootstrap_servers=self._listener.direct) as consumer:
            partition = TopicPartition(self.name, 0)
            return (await consumer.end_offsets([partition]))[partition]


@pytest_asyncio.fixture(loop_scope="module")
async def topic(listener: ProxiedListener, proxy: Proxy) -> Topic:
    name = f"probe-{uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=listener.direct)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    watch = proxy.delay(0.0, Api.PRODUCE)
    async with AIOKafkaProducer(
        bootstrap_servers=listener.proxied, client_id="maker", acks=1
    ) as producer:
        await producer.send_and_wait(name, b"first")
    proxy.calm()
    proxy.counts.clear()
    return Topic(listener, watch.requests[0].frame, name)


class Client:
    """A bare connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, proxy: Proxy) -> "Client":
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.port))

    async def ask(self, frame: bytes) -> int | None:
        await write_frame(self.writer, frame)
        return await self.answer()

    async def answer(self) -> int | None:
        """Give the next answer's correlation id; None at the end of the stream."""
        frame = await read_frame(self.reader)
        return None if frame is None else correlation_id(frame)

    async def silent(self) -> bool:
        """Tell whether nothing comes, not even the end of the stream."""
        try:
            async with asyncio.timeout(NEVER):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False


@pytest_asyncio.fixture(loop_scope="module")
async def client(proxy: Proxy) -> AsyncIterator[Client]:
    one = await Client.connect(proxy)
    yield one
    one.writer.close()


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


async def test_calm_lets_go_what_is_held(proxy: Proxy, topic: Topic, client: Client) -> None:
    held = proxy.hold(Api.PRODUCE)
    await write_frame(client.writer, topic.append(1))
    await held.caught()

    proxy.calm()

    assert await client.answer() == 1
    assert await client.ask(topic.append(2)) == 2


async def test_an_answer_that_never_comes_is_an_error_of_the_connection(
    proxy: Proxy, topic: Topic, client: Client
) -> None:
    lost = proxy.cut_at(Api.PRODUCE)

    await client.ask(topic.append(1))

    with pytest.raises(ConnectionError):
        await lost.answered()


async def test_a_rule_takes_what_it_names_and_no_more() -> None:
    head = struct.pack(">hhih", Api.END_TXN, 0, 1, 5) + b"relay"
    request = Request.parse(head + b"tx-a")
    rule = Rule(Fault.DROP, Match(api=Api.END_TXN, client_id="relay", containing=b"tx-a", skip=1))

    async def taken(one: Request, side: Side = Side.REQUEST) -> bool:
        if takes := rule.takes(one, side):
            await rule.add(one)
        return takes

    assert not await taken(Request.parse(head + b"tx-b"))
    assert not await taken(Request.parse(head.replace(b"relay", b"other") + b"tx-a"))
    assert not await taken(request, Side.RESPONSE)
    assert [await taken(request) for _ in range(3)] == [False, True, False]


@pytest.mark.parametrize("frame", [b"", b"\0" * 9, struct.pack(">hhih", 0, 0, 0, 4) + b"abc"])
async def test_a_frame_without_a_whole_head_is_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"head|cut off"):
        Request.parse(frame)
