"""A TCP proxy before PostgreSQL that knows a COMMIT and whose it is, and spoils it on demand.

It reads what clients send only far enough to know each transaction's statements. Clients without
TLS only; asyncpg asks for it, and goes on in the clear.
"""

import asyncio
import struct
from contextlib import suppress
from typing import Self

from tests.chaos.faults import Fault, Side

_HOST = "127.0.0.1"
_LENGTH = struct.Struct(">I")
_BUFFER_BYTES = 65_536
# The codes in the place of a protocol version with which a client asks for TLS or GSS.
_QUESTIONS = (80877103, 80877104)
_DONE = b"C\0\0\0\x0bCOMMIT\0"
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Aim:
    """The next COMMIT of a transaction with such a statement, and what becomes of it.

    On the way there (REQUEST) the server never hears of it; on the way back it is committed and
    nobody is told. `HOLD` keeps either back until `lift()`, all else cuts the connection.
    """

    def __init__(self, statement: bytes, fault: Fault, side: Side) -> None:
        self.statement, self.fault, self.side = statement, fault, side
        self.struck = asyncio.Event()
        self.was_committed = False
        self._lifted = asyncio.Event()
        self._is_taken = False

    def takes(self, statements: set[bytes]) -> bool:
        """Whether it is for this transaction; one is enough."""
        fits = any(self.statement in each for each in statements)
        if self._lifted.is_set() or self._is_taken or not fits:
            return False
        self._is_taken = True
        return True

    def lift(self) -> None:
        """Let go what is held, and take nothing more."""
        self._lifted.set()

    async def suffer(self) -> bool:
        """Whether the bytes go on afterwards."""
        self.struck.set()
        if self.fault is Fault.HOLD:
            await self._lifted.wait()
            return True
        return False


class CommitProxy:
    """Stands between clients and one PostgreSQL on the loopback; `async with` opens and closes."""

    def __init__(self, server_port: int) -> None:
        """Take the server's port; the proxy's own is chosen."""
        self.port = 0
        self._server_port = server_port
        self._aims: list[Aim] = []
        self._links: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, _HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and drop every connection, with what is held on it."""
        if self._server is not None:
            self._server.close()
        links = tuple(self._links)
        for each in links:
            each.cancel()
        await asyncio.gather(*links, return_exceptions=True)

    def aim(self, statement: bytes, fault: Fault, side: Side) -> Aim:
        """Wait for the COMMIT of such a transaction; `lift` ends it."""
        one = Aim(statement, fault, side)
        self._aims = [each for each in self._aims if not each.struck.is_set()] + [one]
        return one

    def taken(self, statements: set[bytes]) -> Aim | None:
        """The aim that is for this transaction, if any."""
        return next((each for each in self._aims if each.takes(statements)), None)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server = await asyncio.open_connection(_HOST, self._server_port)
        except OSError:
            writer.transport.abort()
            return
        task = asyncio.create_task(_Link((reader, writer), server, self).run())
        self._links.add(task)
        task.add_done_callback(self._links.discard)


class _Link:
    """One client's connection and its twin to the server."""

    def __init__(self, client: Stream, server: Stream, proxy: CommitProxy) -> None:
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._proxy = proxy
        self._prepared: dict[bytes, bytes] = {}
        self._statements: set[bytes] = set()
        self._answer_is_for: Aim | None = None

    async def run(self) -> None:
        """Pass on until one side ends; the other then ends too."""
        pumps = [asyncio.create_task(each) for each in (self._ask(), self._answer())]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in pumps:
                each.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._to_client.transport.abort()
            self._to_server.transport.abort()

    async def _ask(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while await self._begins():
                pass
            while True:
                tag, size = await self._from_client.readexactly(1), await self._size()
                body = await self._from_client.readexactly(size - _LENGTH.size)
                if not await self._passes(tag, body):
                    return
                self._to_server.write(tag + _LENGTH.pack(size) + body)
                await self._to_server.drain()

    async def _begins(self) -> bool:
        """Pass on what has no tag; True when another such message follows."""
        size = await self._size()
        body = await self._from_client.readexactly(size - _LENGTH.size)
        self._to_server.write(_LENGTH.pack(size) + body)
        return _LENGTH.unpack_from(body)[0] in _QUESTIONS

    async def _size(self) -> int:
        found: int = _LENGTH.unpack(await self._from_client.readexactly(_LENGTH.size))[0]
        return found

    async def _passes(self, tag: bytes, body: bytes) -> bool:
        if tag == b"P":
            name, text, _ = body.split(b"\0", 2)
            self._prepared[name] = text
        elif tag == b"B":
            self._statements.add(self._prepared.get(body.split(b"\0", 2)[1], b""))
        elif tag == b"Q" and body.startswith(b"COMMIT"):
            statements, self._statements = self._statements, set()
            return await self._commits(statements)
        elif tag == b"Q":
            self._statements = {body}
        return True

    async def _commits(self, statements: set[bytes]) -> bool:
        aim = self._proxy.taken(statements)
        if aim is None:
            return True
        if aim.side is Side.REQUEST:
            return await aim.suffer()
        self._answer_is_for = aim
        return True

    async def _answer(self) -> None:
        with suppress(OSError):
            while data := await self._from_server.read(_BUFFER_BYTES):
                aim, self._answer_is_for = self._answer_is_for, None
                if aim is not None:
                    aim.was_committed = _DONE in data
                    if not await aim.suffer():
                        return
                self._to_client.write(data)
                await self._to_client.drain()
