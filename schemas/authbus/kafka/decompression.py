"""Decompression with a bound: a batch of a few kilobytes may hold gigabytes of zeros."""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

import cramjam

LARGEST = 4 * 1024 * 1024

_XERIAL = bytes.fromhex("82534e41505059000000000100000001")
_SIZE = struct.Struct(">i")


class DecompressionError(ValueError):
    """This does not decompress, or to more than it may."""


def decompress(codec: int, data: bytes, most: int = LARGEST) -> bytes:
    """What `data` holds, at most so many bytes. `codec` is Kafka's number, 0 for none.

    Raises DecompressionError, having written no more than that to memory.
    """
    decode = _CODECS.get(codec)
    if decode is None:
        raise DecompressionError
    try:
        return decode(data, most)
    except (cramjam.DecompressionError, ValueError, struct.error):
        raise DecompressionError from None


def _plain(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise DecompressionError
    return bytes(data)


def _bounded(
    decompress_into: Callable[[bytes, bytearray], int],
) -> Callable[[bytes, int], bytes]:
    """A fixed buffer is the bound: cramjam stops with an error where it is full."""

    def decode(data: bytes, most: int) -> bytes:
        room = bytearray(most)
        return bytes(memoryview(room)[: decompress_into(data, room)])

    return decode


def _snappy(data: bytes, most: int) -> bytes:
    """Raw snappy, or the blocks of snappy-java with a length before each."""
    if not data.startswith(_XERIAL):
        return _snappy_block(data, most)
    at, left = len(_XERIAL), most
    blocks: list[bytes] = []
    while at < len(data):
        (size,) = _SIZE.unpack_from(data, at)
        at += _SIZE.size
        if not 0 < size <= len(data) - at:
            raise DecompressionError
        blocks.append(_snappy_block(data[at : at + size], left))
        left -= len(blocks[-1])
        at += size
    return b"".join(blocks)


def _snappy_block(data: bytes, most: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(data) > most:
        raise DecompressionError
    return bytes(cramjam.snappy.decompress_raw(data))


_CODECS: Mapping[int, Callable[[bytes, int], bytes]] = MappingProxyType(
    {
        0: _plain,
        1: _bounded(cramjam.gzip.decompress_into),
        2: _snappy,
        3: _bounded(cramjam.lz4.decompress_into),
        4: _bounded(cramjam.zstd.decompress_into),
    }
)
