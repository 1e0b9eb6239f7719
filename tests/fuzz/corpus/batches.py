"""Batches made by hand, on a topic as somebody may have altered it: large ones, kept compressed."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from authbus.kafka.batches import MOST_RECORDS
from authbus.kafka.decompression import LARGEST
from authbus.topics import CREDENTIALS, SESSIONS, Topic
from authbus_service.cluster import Admin
from tests.fuzz.case import REFUSED, Case, Ends, Family, Item, Make, Try, each, one, raw, table
from tests.fuzz.scene import ENDED, Scene
from tests.fuzz.stage import Stage
from tests.rig.batches import GZIP, LZ4, SNAPPY, ZSTD, Raw, batch, compress, records
from tests.rig.bombs import bomb

CODECS = {"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
MIB = 1024 * 1024
UNREAD, RECORD, HEADER = "batch_unreadable", "bad_record", "bad_header"
NOTHING = each()
ONE = records([Raw(b"value", b"k")])
_LARGEST_BATCH = 65_536
_CONTROL, _TRANSACTIONAL = 0x20, 0x10


def packed(data: bytes, ends: Ends, *, last: int = 0, to: Topic = SESSIONS) -> Make:
    """One batch of which something is said at its last offset."""
    return lambda _: Try([Item(to, data, ends=(last,))], ends)


def exploding(codec: int, size: int, *among: str, to: Topic = SESSIONS) -> Make:
    """Made when it is sent: none is kept."""
    return lambda _: Try([Item(to, bomb(codec, size))], one(*(among or (UNREAD,))))


def good(codec: int, bad: Sequence[Raw] = ()) -> Make:
    """Good records in a compressed batch, with bad ones among them."""

    def make(scene: Scene) -> Try:
        drafts = [scene.log_out() for _ in range(5)]
        raws = [raw(draft) for draft in drafts]
        raws[2:2] = bad
        data = batch(len(raws), compress(codec, records(raws)), codec)
        ids, ends = tuple(draft.id for draft in drafts), tuple(range(len(raws)))
        return Try([Item(SESSIONS, data, ids, ends)], each(*[ENDED] * 5, *[HEADER] * len(bad)))

    return make


def of_size(size: int, ends: str) -> Make:
    """One record whose batch has this size, on a topic as declared."""
    around = len(batch(1, records([Raw(bytes(60_000), b"k")]))) - 60_000
    data = batch(1, records([Raw(b"[" * (size - around), b"k")]))
    return packed(data, one(ends), to=CREDENTIALS)


def unpacked_to(size: int, ends: str) -> Make:
    room = LARGEST - len(records([Raw(bytes(LARGEST - 100))]))
    plain = records([Raw(bytes(size - 100 + room))])
    return packed(batch(1, compress(ZSTD, plain), ZSTD), one(ends))


def in_a_row(count: int, *raws: Raw) -> Make:
    """So many batches of one record, each as large as is read, each with its end."""
    bombs = [batch(1, compress(ZSTD, records([each])), ZSTD) for each in raws]
    items = [Item(SESSIONS, bombs[number % len(bombs)]) for number in range(count)]
    return lambda _: Try(items, each(*[HEADER] * count))


def offsets(*deltas: int) -> Make:
    """Records with offsets of their own making."""
    raws = [Raw(b"value", b"k", (), delta) for delta in deltas]
    ends = [HEADER if delta == index else RECORD for index, delta in enumerate(deltas)]
    data = batch(len(raws), records(raws))
    return lambda _: Try([Item(SESSIONS, data, ends=tuple(range(len(raws))))], each(*ends))


def claimed(count: int, *, last: int | None = None, attributes: int = 0) -> Make:
    """A batch whose header says something else than what is in it."""
    return packed(batch(count, ONE, attributes, last=last), one(REFUSED))


def many(count: int) -> Make:
    """So many empty records: each is buried, or, where they are too many, all as one."""
    data = batch(count, compress(ZSTD, records([Raw(None)] * count)), ZSTD)
    if count > MOST_RECORDS:
        return packed(data, one(UNREAD), last=count - 1)
    ends = tuple(range(count))
    return lambda _: Try([Item(SESSIONS, data, ends=ends)], each(*[HEADER] * count))


def large_value(scene: Scene) -> Try:
    draft = scene.log_out()
    return Try.of(draft.but(value=draft.value + bytes(MIB)), "too_large")


def aborted(scene: Scene) -> Try:
    """Good records in a transaction that is aborted were never there."""
    drafts = [scene.log_out() for _ in range(3)]

    async def act(servers: str, topic: str, partition: int) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id=f"t{uuid4()}")
        async with producer:
            await producer.begin_transaction()
            for draft in drafts:
                headers = [(name, value or b"") for name, value in draft.headers]
                await producer.send_and_wait(
                    topic, draft.value, key=draft.key, headers=headers, partition=partition
                )
            await producer.abort_transaction()

    return Try([Item(SESSIONS, act, tuple(draft.id for draft in drafts), ())], NOTHING)


_ROOM = {"max.message.bytes": str(64 * MIB), "segment.bytes": str(128 * MIB)}
_ROW = [
    Raw(bytes(LARGEST - 100), b"k"),
    Raw(b"value", b"k", [(b"x", bytes(LARGEST - 100))]),
    Raw(b"value", b"k", [(b"", None)] * 100_000),
]
ROWS = table([("ten bombs in a row", in_a_row(10, *_ROW))])
BAD_NAME = Raw(b"value", b"k", [(b"\xff", None)])
SIZES = {"10 MiB": 10 * MIB, "200 MiB": 200 * MIB, "1 GiB": 1024 * MIB}
# In 64 KiB of a compressed batch; of snappy nothing that is dangerous fits.
TOO_LARGE = {"gzip": 80 * MIB, "snappy": 20 * MIB, "lz4": 20 * MIB}
FITTING = {"gzip": 40 * MIB, "lz4": 12 * MIB, "zstd": 200 * MIB}


def bombs(*sizes: str) -> list[Case]:
    return table(
        (f"{codec}: {size}", exploding(number, SIZES[size]))
        for codec, number in CODECS.items()
        for size in sizes
    )


BOMBS = bombs("10 MiB")
NAMED = [
    *table((f"{name}: good records", good(codec)) for name, codec in CODECS.items()),
    *table(
        (f"{name}: a bad header name", good(codec, [BAD_NAME])) for name, codec in CODECS.items()
    ),
    *BOMBS,
    *table(
        (
            f"{name}: what fits into a topic as declared",
            exploding(CODECS[name], size, to=CREDENTIALS),
        )
        for name, size in FITTING.items()
    ),
    *table(
        (f"{name}: what does not", exploding(CODECS[name], size, REFUSED, to=CREDENTIALS))
        for name, size in TOO_LARGE.items()
    ),
    *table(
        (
            f"{name}: junk behind the records",
            packed(batch(1, compress(CODECS[name], ONE) + b"junk", CODECS[name]), one(UNREAD)),
        )
        for name in ("gzip", "lz4")
    ),
    *table(
        [
            ("as large as a declared topic takes, less one", of_size(_LARGEST_BATCH - 1, HEADER)),
            ("as large as a declared topic takes", of_size(_LARGEST_BATCH, HEADER)),
            ("one byte more", of_size(_LARGEST_BATCH + 1, REFUSED)),
            ("unpacked as large as is read", unpacked_to(LARGEST, HEADER)),
            ("unpacked one byte more", unpacked_to(LARGEST + 1, UNREAD)),
            ("a value of a mebibyte", large_value),
            ("an offset far ahead", offsets(1_000_000)),
            ("an offset below 0", offsets(-5)),
            ("offsets in another order", offsets(1, 0)),
            ("an offset twice", offsets(0, 0, 7)),
            ("more records claimed than there are", claimed(2)),
            ("fewer offsets than records", claimed(1, last=5)),
            ("a control record", claimed(1, attributes=_CONTROL)),
            ("a transaction of nobody", claimed(1, attributes=_TRANSACTIONAL)),
            ("a codec that there is not", claimed(1, attributes=7)),
            ("an aborted transaction", aborted),
            ("more records than are read", many(MOST_RECORDS + 1)),
        ]
    ),
    *ROWS,
]
LARGE = [
    *bombs("200 MiB", "1 GiB"),
    *table([("ten thousand records", many(MOST_RECORDS))]),
]
SOMETHING = (REFUSED, UNREAD, RECORD, HEADER)


def more(random: Random) -> Iterator[Case]:
    yield from LARGE
    number = 0
    while True:
        for name, codec in CODECS.items():
            for kind in (_garbage, _cut, _flipped):
                number += 1
                yield Case(f"{name}: {kind.__name__[1:]} {number}", kind(random, codec))


def _garbage(random: Random, codec: int) -> Make:
    """Random bytes behind a right header of the batch, or of the codec."""
    head = compress(codec, ONE)[: random.choice([0, 4, 8])]
    data = head + random.randbytes(random.choice([10, 1000, 50_000]))
    return packed(batch(1, data, codec), one(*SOMETHING))


def _cut(random: Random, codec: int) -> Make:
    whole = compress(codec, ONE)
    return packed(batch(1, whole[: random.randrange(1, len(whole))], codec), one(*SOMETHING))


def _flipped(random: Random, codec: int) -> Make:
    whole = bytearray(compress(codec, ONE))
    whole[random.randrange(len(whole))] ^= 1 << random.randrange(8)
    return packed(batch(1, bytes(whole), codec), one(*SOMETHING))


@asynccontextmanager
async def lax(stage: Stage) -> AsyncGenerator[None]:
    """The sessions topic takes what is large while this lasts."""
    topic = SESSIONS.name(stage.namespace)
    async with Admin.connect(stage.servers, {}) as admin:
        await admin.set(topic, _ROOM)
        yield
        await admin.set(topic, dict(SESSIONS.config))


BATCHES = Family("batches", 80, NAMED, more, around=lax, abreast=1)
