"""A way to PostgreSQL whose connections can be made to hang, as behind a firewall that forgets."""

import asyncio
import ctypes
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

_BYTES = 65536
_SO_ATTACH_FILTER = 26  # Linux's; Python has no name for it


class Way:
    """Passes bytes on. `freeze` makes what is open hang, `is_open` lets new connections in."""

    def __init__(self, host: str, port: int) -> None:
        self.is_open = True
        self._to = host, port
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[asyncio.StreamWriter] = []
        self._near: list[socket.socket] = []

    def freeze(self) -> None:
        """Whatever is connected now is heard no more, and is not told."""
        self._flows.clear()
        self._flows = asyncio.Event()
        self._flows.set()

    def vanish(self) -> None:
        """As if the host were gone: not even its kernel hears what is connected now."""
        for each in self._near:
            _let_nothing_in(each)
        self._near.clear()

    async def connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        if not self.is_open:
            back.close()
            return
        far, on = await asyncio.open_connection(*self._to)
        flows = self._flows
        self._ends += (on, back)
        self._near.append(back.get_extra_info("socket"))
        for pair in ((near, on), (far, back)):
            task = asyncio.create_task(_pass(*pair, flows))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for each in self._ends:
            each.transport.abort()
        await asyncio.sleep(0)


def _let_nothing_in(end: socket.socket) -> None:
    """Have the kernel drop each packet that comes for it: a program of one instruction, 0 bytes."""
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(code))
    end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
) -> None:
    with suppress(OSError):
        while data := await reader.read(_BYTES):
            await flows.wait()
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def a_way(host: str, port: int) -> AsyncGenerator[tuple[Way, int]]:
    """A way to that address, and the port at which it begins."""
    way = Way(host, port)
    server = await asyncio.start_server(way.connected, "127.0.0.1", 0)
    try:
        yield way, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await way.close()
