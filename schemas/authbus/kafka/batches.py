"""What a fetch brought, read so that no batch can stop its partition: each offset has one end.

Takes the place of aiokafka's MemoryRecords. That one decompresses without bound, fails for ever at
a header name that is not UTF-8, and believes the offsets that a producer wrote into its batch.

A batch with a wrong checksum ends its fetch, without an error: aiokafka's would take with it what
other partitions had brought. It is fetched again, and unreadable when it comes the same.
"""

import logging
import struct
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import length_hint
from typing import ClassVar, Protocol

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecord, DefaultRecordBatch
from aiokafka.record.util import decode_varint

from authbus.kafka.decompression import LARGEST, DecompressionError, decompress
from authbus.state import DeadLetterReason

# As many as an uncompressed batch of 64 KiB, the most that a command topic takes, can hold.
MOST_RECORDS = 10_000

_LENGTH = struct.Struct(">i")
_LENGTH_AT = 8
_LENGTH_FROM = 12
_ATTRIBUTES = struct.Struct(">h")
_ATTRIBUTES_AT = 21
_COUNT = struct.Struct(">i")
_COUNT_AT = 57
_RECORDS_AT = 61
_CODEC = 0b111
# A name that no record can bring: what is read from UTF-8 has no surrogates.
_MARK = "\udc00"
_ABORT = b"\0\0\0\0"
_MOST_DAMAGED = 1000

_LOG = logging.getLogger("authbus")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that one batch may hold: records, and bytes when it is unpacked."""

    records: int = MOST_RECORDS
    size: int = LARGEST


class _Record(Protocol):
    @property
    def offset(self) -> int: ...


def fault(headers: Iterable[tuple[str, bytes | None]]) -> tuple[DeadLetterReason, int] | None:
    """Why a record that stands for unreadable ones is there, and the first offset it stands for."""
    for name, value in headers:
        if name == _MARK and value is not None:
            reason, _, first = value.decode().partition("/")
            return DeadLetterReason(reason), int(first)
    return None


class BoundedRecords:
    """The batches of one partition in one fetch."""

    bounds = Bounds()
    _damaged: ClassVar[OrderedDict[bytes, None]] = OrderedDict()

    def __init__(self, data: bytes) -> None:
        """`data` is what the broker sent; its last batch may be cut off."""
        self._data = data
        self._at = 0
        self._ahead: _Batch | None = None
        self._open: _Batch | None = None

    @property
    def unpacked(self) -> int:
        """How many records lie in memory that were not taken yet."""
        return 0 if self._open is None else length_hint(self._open.rest)

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        if self._ahead is None and (end := self._end()) is not None:
            data, self._at = self._data[self._at : end], end
            self._ahead = _Batch(data, self.bounds)
            if not self._ahead.is_whole and self._is_new(data):
                # To aiokafka the fetch ends here: it asks for the same offset again.
                self._data, self._at, self._ahead = b"", 0, None
        return self._ahead is not None

    def next_batch(self) -> "_Batch | None":
        self._open = self._ahead if self.has_next() else None
        self._ahead = None
        return self._open

    def _is_new(self, damaged: bytes) -> bool:
        """Whether it was not seen before; it may be right where the broker keeps it."""
        digest = sha256(damaged).digest()
        if digest in self._damaged:
            return False
        self._damaged[digest] = None
        if len(self._damaged) > _MOST_DAMAGED:
            self._damaged.popitem(last=False)
        _LOG.warning("a batch came with a wrong checksum and is fetched again")
        return True

    def _end(self) -> int | None:
        if len(self._data) - self._at < _RECORDS_AT:
            return None
        (length,) = _LENGTH.unpack_from(self._data, self._at + _LENGTH_AT)
        end = self._at + _LENGTH_FROM + length
        return end if end <= len(self._data) else None


class _Batch:
    """One batch. What cannot be read in it comes as a marked record, at the last of its offsets."""

    def __init__(self, data: bytes, bounds: Bounds) -> None:
        self._data, self._bounds = data, bounds
        self._whole = DefaultRecordBatch(data)
        self.is_whole = self._whole.validate_crc()
        (self._count,) = _COUNT.unpack_from(data, _COUNT_AT)
        self.rest: Iterator[_Record] = iter(())

    def __getattr__(self, name: str) -> object:
        return getattr(self._whole, name)

    def __next__(self) -> _Record:
        """The marker of a transaction: the broker wrote it.

        Nothing can be lost by a damaged one: to aiokafka it ends what was aborted, if anything was.
        """
        if self.is_whole:
            return next(self._whole)
        return DefaultRecord(self._whole.base_offset, 0, 0, _ABORT, None, [])

    def validate_crc(self) -> bool:
        """It was looked at before: aiokafka need not, and would raise."""
        return True

    def __iter__(self) -> Iterator[_Record]:
        expected, end = self._whole.base_offset, self._whole.next_offset
        try:
            plain = self._plain()
            if (good := self._as_it_is(plain)) is not None:
                self.rest = iter(good)
                yield from self.rest
                return
            for part in self._parts(plain):
                record = self._record(part, expected)
                expected = record.offset + 1
                yield record
        except DecompressionError:
            if expected < end:
                whole = self._data[_RECORDS_AT:]
                yield self._marked(DeadLetterReason.BATCH_UNREADABLE, whole, expected, end - 1)

    def _plain(self) -> bytes:
        """The records without compression."""
        if not self.is_whole or self._count > self._bounds.records:
            raise DecompressionError
        (attributes,) = _ATTRIBUTES.unpack_from(self._data, _ATTRIBUTES_AT)
        return decompress(attributes & _CODEC, self._data[_RECORDS_AT:], self._bounds.size)

    def _as_it_is(self, plain: bytes) -> Sequence[_Record] | None:
        """The records as aiokafka reads them, many times faster; None when anything is odd."""
        try:
            found = list(DefaultRecordBatch(self._head(self._count) + plain))
        except Exception:  # noqa: BLE001 - whatever it is, each record is then looked at alone
            return None
        expected = self._whole.base_offset
        for record in found:
            if record.offset != expected and not self._is_gap(expected, record.offset):
                return None
            expected = record.offset + 1
        return found if len(found) == self._count else None

    def _head(self, count: int) -> bytes:
        """The batch's header as that of so many records without compression."""
        head = bytearray(self._data[:_RECORDS_AT])
        (attributes,) = _ATTRIBUTES.unpack_from(head, _ATTRIBUTES_AT)
        _ATTRIBUTES.pack_into(head, _ATTRIBUTES_AT, attributes & ~_CODEC)
        _COUNT.pack_into(head, _COUNT_AT, count)
        return bytes(head)

    def _parts(self, data: bytes) -> Iterator[bytes]:
        """The records, each with its length in front."""
        plain = bytearray(data)
        at = 0
        for _ in range(self._count):
            try:
                length, body = decode_varint(plain, at)
            except (ValueError, IndexError):
                raise DecompressionError from None
            if not 0 < length <= len(plain) - body:
                raise DecompressionError
            yield bytes(plain[at : body + length])
            at = body + length

    def _record(self, part: bytes, expected: int) -> _Record:
        try:
            record = next(DefaultRecordBatch(self._head(1) + part))
        except UnicodeDecodeError:
            return self._marked(DeadLetterReason.BAD_HEADER, part, expected, expected)
        except CorruptRecordException:
            return self._marked(DeadLetterReason.BAD_RECORD, part, expected, expected)
        if record.offset != expected and not self._is_gap(expected, record.offset):
            return self._marked(DeadLetterReason.BAD_RECORD, part, expected, expected)
        return record

    def _is_gap(self, expected: int, offset: int) -> bool:
        """Whether compaction, which leaves fewer records than offsets, took those between."""
        compacted = self._count <= self._whole.last_offset_delta
        return compacted and expected < offset < self._whole.next_offset

    def _marked(self, reason: DeadLetterReason, value: bytes, first: int, last: int) -> _Record:
        mark: list[tuple[str, bytes | None]] = [(_MARK, f"{reason}/{first}".encode())]
        at, kind = self._whole.max_timestamp, self._whole.timestamp_type
        return DefaultRecord(last, at, kind, None, value, mark)
