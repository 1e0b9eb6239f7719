"""Batches of one record of zeros that are small until somebody unpacks them, made bit by bit."""

import struct
import zlib
from collections.abc import Iterator

import cramjam
from aiokafka.record.util import encode_varint

from tests.rig.batches import GZIP, LZ4, SNAPPY, batch

_PIECE = 1024 * 1024
_SNAPPY_JAVA = bytes.fromhex("82534e41505059000000000100000001")
_COUNT = struct.Struct(">i")


def bomb(codec: int, size: int) -> bytes:
    """A batch of one record whose value is so many zeros."""
    return batch(1, _compressed(codec, size), codec)


def _compressed(codec: int, size: int) -> bytes:
    if codec == SNAPPY:
        return _in_blocks(size)
    if codec == GZIP:
        packer = zlib.compressobj(wbits=31)
        return b"".join(map(packer.compress, _pieces(size))) + packer.flush()
    compressor = (
        cramjam.lz4.Compressor(content_checksum=False, block_linked=False)
        if codec == LZ4
        else cramjam.zstd.Compressor()
    )
    for piece in _pieces(size):
        compressor.compress(piece)
    return bytes(compressor.finish())


def _in_blocks(size: int) -> bytes:
    """As snappy-java writes it; a broker reads raw snappy only whole."""
    first, *_, last = _pieces(size)
    zeros = _block(bytes(_PIECE))
    whole = (size - 1) // _PIECE
    rest = _block(bytes(size - whole * _PIECE))
    return _SNAPPY_JAVA + _block(first) + zeros * whole + rest + _block(last)


def _block(plain: bytes) -> bytes:
    made = bytes(cramjam.snappy.compress_raw(plain))
    return _COUNT.pack(len(made)) + made


def _pieces(size: int) -> Iterator[bytes]:
    """The record as it stands in a batch: what is before the value, the value, no headers."""
    head = bytearray(b"\0\0\0")
    encode_varint(1, head.append)
    head += b"k"
    encode_varint(size, head.append)
    length = bytearray()
    encode_varint(len(head) + size + 1, length.append)
    yield bytes(length + head)
    zeros = bytes(_PIECE)
    for _ in range(size // _PIECE):
        yield zeros
    yield bytes(size % _PIECE)
    yield b"\0"
