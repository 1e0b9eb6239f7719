"""Batches made by hand: what is compressed well is read, what is not has one end, in bounds."""

import gc
import struct
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.errors import MessageSizeTooLargeError

from authbus.batches import MOST_RECORDS
from authbus.decompression import LARGEST
from authbus.topics import CREDENTIALS, SESSIONS, Topic
from authbus_service.cluster import Admin
from authbus_service.core.ids import new_id
from tests.rig.batches import GZIP, LZ4, SNAPPY, ZSTD, Raw, batch, compress, produce, records
from tests.rig.memory import growth_below
from tests.rig.outcomes import Watch
from tests.rig.producing import Draft

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODECS = {"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
MIB = 1024 * 1024
BOMBS = {"gzip": 200 * MIB, "snappy": 48 * MIB, "lz4": 200 * MIB, "zstd": 200 * MIB}
# In 64 KiB of a compressed batch; of snappy nothing that is dangerous fits.
FITTING = {"gzip": 40 * MIB, "lz4": 12 * MIB, "zstd": 200 * MIB}
MOST_GROWTH = 100 * MIB
ONE = records([Raw(b"value", b"k")])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lax(watch: Watch) -> Watch:
    """The sessions topic as somebody may have altered it: large batches, kept compressed."""
    async with Admin.connect(watch.world.servers, {}) as admin:
        config = {"compression.type": "producer", "max.message.bytes": str(64 * MIB)}
        await admin.set(SESSIONS.name(watch.world.namespace), config)
    return watch


@pytest.mark.parametrize("codec", CODECS)
async def test_good_records_in_a_compressed_batch_are_answered(watch: Watch, codec: str) -> None:
    await _are_answered(watch, CREDENTIALS.suffix, CODECS[codec])


@pytest.mark.parametrize("codec", CODECS)
async def test_a_topic_that_keeps_compression_is_read_too(lax: Watch, codec: str) -> None:
    await _are_answered(lax, SESSIONS.suffix, CODECS[codec])


@pytest.mark.parametrize(("codec", "size"), FITTING.items())
async def test_a_bomb_that_fits_into_a_topic_as_declared_is_buried_and_the_broker_lives(
    watch: Watch, codec: str, size: int
) -> None:
    bomb = _bomb(codec, size)
    gc.collect()

    with growth_below(MOST_GROWTH):
        letter = await _buried(watch, bomb, CREDENTIALS)

    assert len(bomb) < 65536
    assert letter["reason"] == "batch_unreadable"


@pytest.mark.parametrize(
    ("codec", "size"), [("gzip", 100 * MIB), ("snappy", 20 * MIB), ("lz4", 100 * MIB)]
)
async def test_the_broker_refuses_what_does_not_fit_into_a_topic_as_declared(
    watch: Watch, codec: str, size: int
) -> None:
    bomb = _bomb(codec, size)

    code, _ = await produce(watch.world.servers, CREDENTIALS.name(watch.world.namespace), bomb)

    assert len(bomb) > 65536
    assert code == MessageSizeTooLargeError.errno


@pytest.mark.parametrize("codec", CODECS)
async def test_a_bomb_on_an_altered_topic_is_buried_in_bounded_memory(
    lax: Watch, codec: str
) -> None:
    bomb = _bomb(codec, BOMBS[codec])
    gc.collect()

    with growth_below(MOST_GROWTH):
        letter = await _buried(lax, bomb)

    assert letter["reason"] == "batch_unreadable"
    assert letter["size"] < 4 * MIB


async def test_a_batch_just_within_the_bound_is_read(lax: Watch) -> None:
    room = LARGEST - len(records([Raw(bytes(LARGEST - 100))]))
    within = records([Raw(bytes(LARGEST - 100 + room))])
    over = records([Raw(bytes(LARGEST - 100 + room + 1))])
    assert (len(within), len(over)) == (LARGEST, LARGEST + 1)

    read = await _buried(lax, batch(1, compress(ZSTD, within), ZSTD))
    unread = await _buried(lax, batch(1, compress(ZSTD, over), ZSTD))

    assert (read["reason"], unread["reason"]) == ("bad_header", "batch_unreadable")


async def test_a_batch_of_more_records_than_a_declared_topic_takes_is_buried_as_one(
    lax: Watch,
) -> None:
    many = records([Raw(None)] * (MOST_RECORDS + 1))

    letter = await _buried(lax, batch(MOST_RECORDS + 1, compress(ZSTD, many), ZSTD))

    assert letter["reason"] == "batch_unreadable"
    assert letter["offset"] - letter["first_offset"] == MOST_RECORDS


@pytest.mark.parametrize("codec", ["gzip", "lz4"])
async def test_what_the_broker_overlooks_behind_the_records_is_buried(
    lax: Watch, codec: str
) -> None:
    body = compress(CODECS[codec], ONE) + b"junk"

    letter = await _buried(lax, batch(1, body, CODECS[codec]))

    assert letter["reason"] == "batch_unreadable"


@pytest.mark.parametrize("codec", CODECS)
async def test_a_bad_header_name_in_a_compressed_batch_takes_its_record_alone(
    lax: Watch, codec: str
) -> None:
    good = [lax.good(SESSIONS.suffix) for _ in range(2)]
    bad = Raw(b"value", b"k", [(b"\xff", None)])
    body = compress(CODECS[codec], records([_raw(good[0]), bad, _raw(good[1])]))

    letter = await _buried(lax, batch(3, body, CODECS[codec]), index=1)

    assert letter["reason"] == "bad_header"
    for each in good:
        await lax.world.web.heard(each, 1, within=2)


async def _are_answered(watch: Watch, suffix: str, codec: int) -> None:
    good = [watch.good(suffix) for _ in range(5)]
    data = batch(5, compress(codec, records(map(_raw, good))), codec)

    code, _ = await produce(watch.world.servers, good[0].topic, data)

    assert code == 0
    for each in good:
        await watch.world.web.heard(each, 1, within=2)


async def _buried(
    watch: Watch, data: bytes, to: Topic = SESSIONS, *, index: int = 0
) -> dict[str, Any]:
    """Send a batch between two good records; the dead letter of the batch."""
    topic = to.name(watch.world.namespace)
    (last,) = struct.unpack_from(">i", data, 23)

    async def send() -> int:
        code, offset = await produce(watch.world.servers, topic, data)
        assert code == 0
        return offset

    first = await watch.surrounded(to.suffix, send)
    offset = first + (index or last)
    await watch.became(new_id(), to.suffix, 0, offset)
    (letter,) = watch.letters[to.suffix, 0, offset]
    return letter


def _raw(draft: Draft) -> Raw:
    return Raw(draft.value, draft.key, [(name.encode(), value) for name, value in draft.headers])


def _bomb(codec: str, size: int) -> bytes:
    return batch(1, compress(CODECS[codec], records([Raw(bytes(size), b"k")])), CODECS[codec])
