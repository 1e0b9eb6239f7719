"""A fetch's bytes: every offset has one end, in order, whatever a producer put between them."""

import struct
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from aiokafka.consumer import fetcher
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import example, given, settings
from hypothesis import strategies as st

from authbus import topics
from authbus.kafka.batches import BoundedRecords, fault
from authbus.kafka.decompression import LARGEST, DecompressionError, decompress
from authbus.state import DeadLetterReason
from authbus_service.consumers.arrival import arrival
from authbus_service.consumers.bounded import read_bounded
from tests.rig.batches import GZIP, LZ4, SNAPPY, ZSTD, Raw, batch, compress, records

CODECS = [0, GZIP, SNAPPY, LZ4, ZSTD]
XERIAL = bytes.fromhex("82534e41505059000000000100000001")
CONTROL, COMMITTED = 0x20, b"\0\0\0\1"
HEADERS = [(b"ce_id", b"1"), (b"null", None)]
PLAIN = records(Raw(b"v%d" % n, b"k", HEADERS) for n in range(4))


def read(data: bytes, *, base: int = 100) -> list[tuple[int, DeadLetterReason | None, int | None]]:
    """The offsets in a fetch, with the fault of each and the first offset it stands for."""
    found: list[tuple[int, DeadLetterReason | None, int | None]] = []
    fetched = BoundedRecords(struct.pack(">q", base) + data[8:])
    while fetched.has_next():
        for record in fetched.next_batch() or ():
            reason, first = fault(record.headers) or (None, None)  # pyright: ignore[reportAttributeAccessIssue]
            found.append((record.offset, reason, first))
    return found


@pytest.mark.parametrize("codec", CODECS)
def test_good_records_come_as_aiokafka_reads_them(codec: int) -> None:
    data = batch(4, compress(codec, PLAIN), codec)
    ours, theirs = BoundedRecords(data).next_batch(), MemoryRecords(data).next_batch()
    assert ours is not None
    assert theirs is not None

    assert theirs.validate_crc()
    for name in ("base_offset", "next_offset", "producer_id", "is_control_batch"):
        assert getattr(ours, name) == getattr(theirs, name)
    for mine, other in zip(ours, theirs, strict=True):
        for name in ("offset", "timestamp", "timestamp_type", "key", "value", "headers"):
            assert getattr(mine, name) == getattr(other, name)


def test_a_batch_that_the_fetch_cut_off_waits_for_the_next_one() -> None:
    data = batch(4, PLAIN)
    for size in (0, 5, 60, 61, len(data) - 1):
        assert not BoundedRecords(data[:size]).has_next()
    assert BoundedRecords(data).size_in_bytes() == len(data)


def test_two_batches_in_a_fetch_are_both_read() -> None:
    one = batch(1, records([Raw(b"v")]))

    assert [offset for offset, *_ in read(one + struct.pack(">q", 101) + one[8:])] == [100, 101]


def damaged(data: bytes) -> bytes:
    """The same with another last byte; its checksum is still that of before."""
    return data[:-1] + bytes([data[-1] ^ 1])


def test_a_wrong_checksum_is_fetched_once_more_and_then_takes_its_batch_alone() -> None:
    good, bad = batch(1, records([Raw(b"v")])), damaged(batch(2, records([Raw(b"v"), Raw(b"w")])))
    data = good + struct.pack(">q", 101) + bad[8:] + struct.pack(">q", 103) + good[8:]

    assert read(data) == [(100, None, None)]
    assert read(data) == [
        (100, None, None),
        (102, DeadLetterReason.BATCH_UNREADABLE, 101),
        (103, None, None),
    ]


def test_what_was_damaged_on_its_way_comes_whole_the_next_time() -> None:
    whole = batch(2, records([Raw(b"v"), Raw(b"on its way")]))
    torn = BoundedRecords(damaged(whole))

    # To aiokafka it is an answer without records: it asks again for the same offset.
    assert (torn.has_next(), torn.size_in_bytes()) == (False, 0)
    assert read(whole) == [(100, None, None), (101, None, None)]


def test_a_marker_that_is_damaged_ends_its_transaction_as_any_does() -> None:
    data = damaged(batch(1, records([Raw(b"", COMMITTED)]), CONTROL))

    assert not BoundedRecords(data).has_next()
    found = BoundedRecords(data).next_batch()

    assert found is not None
    assert found.is_control_batch
    assert ControlRecord.parse(next(found).key) == ABORT_MARKER  # pyright: ignore[reportAttributeAccessIssue]


def test_one_bad_header_name_takes_one_record() -> None:
    bad = Raw(b"v", b"k", [(b"\xff", b"")])
    plain = records([Raw(b"v"), bad, Raw(b"v")])

    assert read(batch(3, plain)) == [
        (100, None, None),
        (101, DeadLetterReason.BAD_HEADER, 101),
        (102, None, None),
    ]


@pytest.mark.parametrize("delta", [-1, 0, 2, 9, 2**31 - 1, -(2**31)])
def test_a_made_up_offset_stays_at_its_place(delta: int) -> None:
    plain = records([Raw(b"v"), Raw(b"v", delta=delta), Raw(b"v")])

    assert read(batch(3, plain)) == [
        (100, None, None),
        (101, DeadLetterReason.BAD_RECORD, 101),
        (102, None, None),
    ]


def test_the_gaps_of_compaction_are_no_faults() -> None:
    plain = records([Raw(b"v", delta=3), Raw(b"v", delta=7)])

    assert read(batch(2, plain, last=9)) == [(103, None, None), (107, None, None)]


def test_a_batch_that_breaks_off_is_unreadable_from_there_on() -> None:
    plain = records([Raw(b"v")]) + b"\xff\xff\xff\xff\xff\xff"

    assert read(batch(5, plain)) == [
        (100, None, None),
        (104, DeadLetterReason.BATCH_UNREADABLE, 101),
    ]


def test_no_record_can_say_of_itself_that_it_is_unreadable() -> None:
    for name in ("\\udc00", "\udc00".encode("utf-8", "surrogatepass").decode("latin-1"), "fault"):
        forged = Raw(b"v", b"k", [(name.encode(), b"batch_unreadable/0")])
        assert read(batch(1, records([forged]))) == [(100, None, None)]


def test_an_arrival_takes_the_fault_over() -> None:
    found = BoundedRecords(batch(1, b"\xff" * 5)).next_batch()
    assert found is not None
    (record,) = found
    values = (record.offset, 2**62, 1, None, b"raw", None, -1, 3, tuple(record.headers))  # pyright: ignore[reportAttributeAccessIssue]

    taken = arrival(topics.SESSIONS, ConsumerRecord("t", 0, *values))

    assert (taken.fault, taken.first_offset) == (DeadLetterReason.BATCH_UNREADABLE, 0)
    assert taken.appended_at == datetime(1970, 1, 1, tzinfo=UTC)


@settings(max_examples=500)
@given(st.sampled_from(CODECS), st.binary(max_size=200), st.integers(0, 12))
@example(0, b"", 0)
@example(0, b"\x01", 1)
def test_a_batch_around_any_bytes_has_an_end_for_each_offset(
    codec: int, body: bytes, count: int
) -> None:
    _each_offset_has_one_end(batch(count, body, codec), count)
    _each_offset_has_one_end(batch(count, compress(codec, body), codec), count)


@settings(max_examples=500)
@given(st.data())
def test_records_with_any_bytes_changed_have_an_end_each(data: st.DataObject) -> None:
    body = bytearray(PLAIN)
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))

    _each_offset_has_one_end(batch(4, bytes(body)), 4)


def _each_offset_has_one_end(data: bytes, count: int) -> None:
    expected = 100
    for offset, _, first in read(data):
        assert (offset if first is None else first) == expected
        expected = offset + 1
    assert expected == 100 + count


@settings(max_examples=500)
@given(st.integers(0, 7), st.binary(max_size=300), st.booleans())
@example(SNAPPY, struct.pack(">i", -4), True)
@example(SNAPPY, struct.pack(">i", 2**31 - 1), True)
@example(SNAPPY, b"\xff\xff\xff\xff\x0f", False)
def test_any_bytes_decompress_or_are_refused(codec: int, body: bytes, xerial: bool) -> None:
    try:
        assert len(decompress(codec, XERIAL + body if xerial else body)) <= LARGEST
    except DecompressionError as error:
        assert error.__cause__ is None  # noqa: PT017


@pytest.mark.parametrize("codec", CODECS[1:])
def test_decompression_stops_at_its_bound(codec: int) -> None:
    assert decompress(codec, compress(codec, bytes(LARGEST))) == bytes(LARGEST)
    with pytest.raises(DecompressionError):
        decompress(codec, compress(codec, bytes(LARGEST + 1)))


def test_many_small_snappy_blocks_are_bounded_together() -> None:
    block = compress(SNAPPY, bytes(LARGEST // 2))
    framed = struct.pack(">i", len(block)) + block

    assert len(decompress(SNAPPY, XERIAL + 2 * framed)) == LARGEST
    with pytest.raises(DecompressionError):
        decompress(SNAPPY, XERIAL + 3 * framed)


def test_installing_it_takes_aiokafkas_reader_out_of_every_consumer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)

    read_bounded()
    read_bounded()

    assert fetcher.MemoryRecords is BoundedRecords
