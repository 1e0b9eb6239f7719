"""Kafka's frames as far as a proxy needs them: lengths, request heads, correlation ids."""

import asyncio
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Self

MAX_FRAME_BYTES = 104_857_600
_LENGTH = struct.Struct(">i")
_HEAD = struct.Struct(">hhih")


class Api(IntEnum):
    """Request kinds that tests name; a frame may carry any other number too."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    API_VERSIONS = 18
    CREATE_TOPICS = 19
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


@dataclass(eq=False, slots=True)
class Request:
    """One request on its way, and the broker's answer to it once there is one.

    `frame` is everything after the length; `answer` resolves to the whole answer after its
    length (it starts with the correlation id), whether or not the client gets to see it. It is
    cancelled when the connection ends first.
    """

    api: int
    version: int
    correlation_id: int
    client_id: str | None
    frame: bytes = field(repr=False)
    answer: asyncio.Future[bytes] = field(repr=False)

    @classmethod
    def parse(cls, frame: bytes) -> Self:
        """Read the head, equal in all header versions up to the client id.

        Raises ValueError when the frame is shorter than its head says.
        """
        try:
            api, version, correlation_id, length = _HEAD.unpack_from(frame)
        except struct.error:
            msg = f"a frame of {len(frame)} bytes has no request head"
            raise ValueError(msg) from None
        name = frame[_HEAD.size : _HEAD.size + max(length, 0)]
        if len(name) < length:
            msg = "the client id is cut off"
            raise ValueError(msg)
        client_id = None if length < 0 else name.decode(errors="replace")
        answer = asyncio.get_running_loop().create_future()
        return cls(api, version, correlation_id, client_id, frame, answer)


def correlation_id(frame: bytes) -> int:
    """Give the correlation id that an answer starts with."""
    number: int = _LENGTH.unpack_from(frame)[0]
    return number


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Read one frame without its length; None at the end of the stream or after a reset.

    Raises ValueError for a length that no Kafka client sends: the peer speaks something else.
    """
    try:
        size: int = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))[0]
        if not _LENGTH.size <= size <= MAX_FRAME_BYTES:
            msg = f"not a Kafka frame: length {size}"
            raise ValueError(msg)
        return await reader.readexactly(size)
    except (asyncio.IncompleteReadError, OSError):
        return None


async def write_frame(writer: asyncio.StreamWriter, frame: bytes) -> bool:
    """Write one frame with its length; False when the peer is gone."""
    try:
        writer.write(_LENGTH.pack(len(frame)) + frame)
        await writer.drain()
    except OSError:
        return False
    return not writer.is_closing()
