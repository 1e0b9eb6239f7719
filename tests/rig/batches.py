"""Record batches by hand: whatever a producer of its own making may send to the broker."""

import struct
import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import cramjam
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
_HEADER = struct.Struct(">qiibIhiqqqhii")
_CRC_FROM = 21


@dataclass(frozen=True)
class Raw:
    """One record: header names are bytes here, and the offset within the batch is free."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[bytes, bytes | None]] = ()
    delta: int | None = None

    def encode(self, index: int) -> bytes:
        body = bytearray(b"\0\0")
        encode_varint(index if self.delta is None else self.delta, body.append)
        for part in (self.key, self.value):
            _nullable(body, part)
        encode_varint(len(self.headers), body.append)
        for name, value in self.headers:
            _nullable(body, name)
            _nullable(body, value)
        length = bytearray()
        encode_varint(len(body), length.append)
        return bytes(length + body)


def records(raws: Iterable[Raw]) -> bytes:
    """The records as they stand in a batch, before compression."""
    return b"".join(raw.encode(index) for index, raw in enumerate(raws))


def compress(codec: int, plain: bytes) -> bytes:
    match codec:
        case 1:
            return bytes(cramjam.gzip.compress(plain))
        case 2:
            return bytes(cramjam.snappy.compress_raw(plain))
        case 3:
            compressor = cramjam.lz4.Compressor(content_checksum=False, block_linked=False)
            compressor.compress(plain)
            return bytes(compressor.finish())
        case 4:
            return bytes(cramjam.zstd.compress(plain))
        case _:
            return plain


def batch(count: int, body: bytes, codec: int = 0, *, last: int | None = None) -> bytes:
    """A batch that claims `count` records and offsets up to `last`, with a right checksum."""
    last_delta = count - 1 if last is None else last
    length = _HEADER.size - 12 + len(body)
    now = int(time.time() * 1000)
    fields = [0, length, -1, 2, 0, codec, last_delta, now, now, -1, -1, -1, count]
    unsigned = _HEADER.pack(*fields) + body
    fields[4] = calc_crc32c(unsigned[_CRC_FROM:])
    return _HEADER.pack(*fields) + body


class Wire:
    """A connection over which batches go as they are, in order."""

    def __init__(self, client: AIOKafkaClient, servers: str) -> None:
        self._client, self.servers = client, servers

    async def produce(self, topic: str, partition: int, data: bytes) -> tuple[int, int]:
        """Send one batch. Returns Kafka's error code and the base offset."""
        await self._client.add_topic(topic)
        place = TopicPartition(topic, partition)
        while (node := self._client.cluster.leader_for_partition(place)) is None:
            await self._client.force_metadata_update()
        request = ProduceRequest(None, -1, 20_000, [(topic, [(partition, data)])])
        response = await self._client.send(node, request)
        _, code, offset, *_ = response.topics[0][1][0]
        return code, offset


@asynccontextmanager
async def wired(servers: str) -> AsyncGenerator[Wire]:
    client = AIOKafkaClient(bootstrap_servers=servers)
    await client.bootstrap()
    try:
        yield Wire(client, servers)
    finally:
        await client.close()


async def produce(servers: str, topic: str, data: bytes, *, partition: int = 0) -> tuple[int, int]:
    """Send one batch over a connection of its own."""
    async with wired(servers) as wire:
        return await wire.produce(topic, partition, data)


def _nullable(body: bytearray, part: bytes | None) -> None:
    encode_varint(-1 if part is None else len(part), body.append)
    body += part or b""
