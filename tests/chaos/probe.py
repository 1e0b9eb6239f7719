"""A topic and a bare connection with which tests look at what a fault did."""

import asyncio
import struct
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.chaos.proxy import Proxy
from tests.chaos.rig import ProxiedListener
from tests.chaos.wire import correlation_id, read_frame, write_frame

NEVER = 0.15
"""Seconds after which something that would take a millisecond has not happened."""


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


class Client:
    """A bare connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, proxy: Proxy, door: int = 0) -> Self:
        return cls(*await asyncio.open_connection("127.0.0.1", proxy.doors[door].port))

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
