"""TLS in front of a PostgreSQL that was built without it; nobody comes in without."""

import asyncio
import ssl
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import URL

_SSL_REQUEST = struct.pack(">ii", 8, 80877103)


@asynccontextmanager
async def encrypted(url: URL, certificate: Path) -> AsyncGenerator[URL]:
    """The same database behind TLS; the certificate's file is read at each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                writer.write(b"S")
                await writer.start_tls(context)
                back, on = await asyncio.open_connection(url.host, url.port)
                await asyncio.gather(_pump(reader, on), _pump(back, writer))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield url.set(port=server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
