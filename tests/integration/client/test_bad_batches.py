"""Records and batches that nobody should write: readers pass over them, in bounded memory."""

import asyncio
import gc
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher

from authbus import Gap, TokenRevoked, UserState
from authbus.kafka import guarding
from authbus.kafka.connection import Connection
from authbus.kafka.guarding import ClientRecords
from authbus.topics import EVENTS, SESSIONS_ENDED, USERS_STATE, Topic
from authbus_service.embedded import EmbeddedStack
from tests.integration.client.conftest import NewStream, NewVerifier
from tests.integration.client.crowd import a_crowd
from tests.integration.client.stand_in import PARTITIONS, StandIn, created
from tests.rig.batches import GZIP, LZ4, SNAPPY, ZSTD, Raw, batch, compress, produce, records
from tests.rig.memory import growth_below
from tests.rig.warnings import warnings_of

MIB = 1024 * 1024
CODECS = {"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
# What fits into the 1 MiB of a batch that a broker takes.
BOMBS = {"gzip": 200 * MIB, "snappy": 18 * MIB, "lz4": 200 * MIB, "zstd": 400 * MIB}


def bomb(codec: str) -> bytes:
    plain = records([Raw(bytes(BOMBS[codec]), b"k")])
    return batch(1, compress(CODECS[codec], plain), CODECS[codec])


def bad_name() -> bytes:
    """Three records, of which the second has a header name that is no text."""
    good = Raw(b"{}", b"k")
    raws = [good, Raw(b"{}", b"k", [(b"\xff", b"v")]), good]
    return batch(3, records(raws))


async def put(service: StandIn, topic: Topic, data: bytes) -> None:
    """Write this batch to each partition."""
    for partition in range(PARTITIONS[topic.suffix]):
        code, _ = await produce(service.servers, service.name(topic), data, partition=partition)
        assert code == 0


async def tell(service: StandIn, user_id: UUID, *sequences: int) -> None:
    for sequence in sequences:
        await service.tell(EVENTS, str(user_id), created(user_id, sequence))


async def test_a_stream_goes_on_behind_a_bad_header_name_and_tells_the_gap(
    service: StandIn, new_stream: NewStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, warned = uuid4(), warnings_of(guarding, monkeypatch)
    await tell(service, user_id, 1)
    await put(service, EVENTS, bad_name())
    await tell(service, user_id, 3)

    async with asyncio.timeout(15), new_stream() as stream:
        events = aiter(stream)
        heard = [await anext(events) for _ in range(2)]

    assert [event.sequence for event in heard] == [1, 3]
    assert heard[1].gap == Gap(2, 3)
    assert "was passed over: bad_header" in warned.text


@pytest.mark.parametrize(
    "codec",
    ["zstd", *(pytest.param(each, marks=pytest.mark.gate) for each in CODECS if each != "zstd")],
)
async def test_a_stream_goes_on_behind_a_bomb(
    service: StandIn, new_stream: NewStream, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, data, warned = uuid4(), bomb(codec), warnings_of(guarding, monkeypatch)
    await put(service, EVENTS, data)
    await tell(service, user_id, 1)
    gc.collect()

    with growth_below(100 * MIB):
        async with asyncio.timeout(15), new_stream() as stream:
            event = await anext(aiter(stream))

    assert event.user_id == user_id
    assert "was passed over: batch_unreadable" in warned.text


async def test_users_are_told_behind_bad_states(service: StandIn, new_stream: NewStream) -> None:
    async with a_crowd(service) as crowd:
        before = await crowd.join()
        await put(service, USERS_STATE, bad_name())
        await put(service, USERS_STATE, bomb("zstd"))
        behind = await crowd.join()

        async with asyncio.timeout(15), new_stream() as stream:
            telling = stream.bootstrap()
            told = [await anext(telling) for _ in range(4)]
            await telling.aclose()

    assert {each.user_id for each in told if isinstance(each, UserState)} == {before, behind}


@pytest.mark.parametrize("made", [bad_name, partial(bomb, "zstd")], ids=["bad name", "bomb"])
async def test_a_verifier_stays_fresh_and_hears_of_ends_behind_it(
    service: StandIn, new_verifier: NewVerifier, made: Callable[[], bytes]
) -> None:
    session_id, data = uuid4(), made()
    await put(service, SESSIONS_ENDED, data)
    async with new_verifier() as verifier:
        assert verifier.verify(service.token(session_id)).session_id == session_id
        await put(service, SESSIONS_ENDED, data)
        await service.beat(datetime.now(UTC))
        await service.end(session_id)

        async with asyncio.timeout(5):
            while True:
                try:
                    verifier.verify(service.token(session_id))
                except TokenRevoked:
                    break
                await asyncio.sleep(0.01)


def damage(stack: EmbeddedStack, place: TopicPartition, number: int) -> None:
    """Turn one bit of a batch where the broker keeps it."""
    folder = stack.kafka_log_dir / f"{place.topic}-{place.partition}"
    with (folder / "00000000000000000000.log").open("r+b") as log:
        at = 0
        for _ in range(number):
            log.seek(at + 8)
            at += 12 + int.from_bytes(log.read(4), "big")
        log.seek(at + 70)
        (byte,) = log.read(1)
        log.seek(at + 70)
        log.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("bad", [0, 1])
async def test_a_batch_that_is_damaged_on_disk_takes_no_record_but_its_own(
    stack: EmbeddedStack, service: StandIn, new_stream: NewStream, bad: int
) -> None:
    one, other = uuid4(), uuid4()
    for user_id, partition in ((one, bad), (other, 1 - bad)):
        for sequence in (1, 2, 3):
            event = created(user_id, sequence)
            await service.tell(EVENTS, str(user_id), event, partition)
    damage(stack, TopicPartition(service.name(EVENTS), bad), 1)

    async with asyncio.timeout(20), new_stream() as stream:
        events = aiter(stream)
        heard = [await anext(events) for _ in range(5)]

    assert [each.sequence for each in heard if each.user_id == other] == [1, 2, 3]
    assert [(each.sequence, each.gap) for each in heard if each.user_id == one] == [
        (1, None),
        (3, Gap(2, 3)),
    ]


@pytest.mark.parametrize("bad", [0, 1])
async def test_a_verifier_knows_of_all_ends_but_those_of_a_batch_that_is_damaged_on_disk(
    stack: EmbeddedStack, service: StandIn, new_verifier: NewVerifier, bad: int
) -> None:
    ends = {uuid4(): (partition, number) for partition in (0, 1) for number in (1, 2, 3)}
    for session_id, (partition, _) in ends.items():
        await service.end(session_id, partition)
    # The first batch of each partition is a sign of life.
    damage(stack, TopicPartition(service.name(SESSIONS_ENDED), bad), 2)
    await service.beat()

    known: set[tuple[int, int]] = set()
    async with new_verifier() as verifier:
        for session_id, place in ends.items():
            try:
                verifier.verify(service.token(session_id))
            except TokenRevoked:
                known.add(place)

    assert known == set(ends.values()) - {(bad, 2)}


async def test_batches_of_a_mirror_are_read(service: StandIn, new_stream: NewStream) -> None:
    user_id, count = uuid4(), 20_000
    headers = [(b"ce_type", b"authbus.UserCreated.v1"), (b"ce_time", b"2026-01-01T00:00:00Z")]
    raws = [
        Raw(
            created(user_id, number).model_dump_json().encode(),
            str(user_id).encode(),
            [*headers, (b"ce_id", str(UUID(int=number)).encode())],
        )
        for number in range(1, count + 1)
    ]
    data = batch(count, compress(ZSTD, records(raws)), ZSTD)
    code, _ = await produce(service.servers, service.name(EVENTS), data)
    assert (code, len(data) < MIB) == (0, True)

    heard = 0
    async with asyncio.timeout(60), new_stream() as stream:
        async for event in stream:
            heard += 1
            assert event.sequence == heard
            if heard == count:
                break


async def test_other_consumers_of_a_process_are_left_alone(service: StandIn) -> None:
    before = fetcher.MemoryRecords
    connection = Connection(service.servers, "mine")
    mine, other = connection.consumer(), AIOKafkaConsumer(bootstrap_servers=service.servers)
    await connection.open(mine)
    await other.start()

    methods = [vars(vars(each)["_fetcher"]).get("_proc_fetch_request") for each in (mine, other)]
    await connection.close(mine)
    await other.stop()

    assert methods[0].__func__.__globals__["MemoryRecords"] is ClientRecords
    assert methods[1] is None
    assert fetcher.MemoryRecords is before


async def test_an_aiokafka_that_is_not_known_is_left_as_it_is(
    service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned = warnings_of(guarding, monkeypatch)
    monkeypatch.delattr(fetcher.Fetcher, "_proc_fetch_request")
    connection = Connection(service.servers, "mine")
    consumer = connection.consumer()

    await connection.open(consumer)
    await connection.close(consumer)

    assert "this aiokafka is not known" in warned.text
