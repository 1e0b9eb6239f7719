"""Calls of fastapi-users over kept connections, as cheap as they can be made.

The caller shares the cores: what a full HTTP client costs a call would be taken from the peer.
"""

import asyncio
import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote_plus

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"


class HttpRefusedError(Exception):
    """The peer answered with another status than that of success."""


class PeerClient:
    """Registers, logs in and logs out; a connection for each call that is under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[Stream] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for _, writer in self._free:
            writer.close()
            await writer.wait_closed()

    async def register(self, email: str, password: str) -> None:
        body = json.dumps({"email": email, "password": password})
        await self._post("register", f"content-type: {_JSON}\r\n", body)

    async def log_in(self, email: str, password: str) -> str:
        body = f"username={quote_plus(email)}&password={quote_plus(password)}"
        answer: dict[str, Any] = json.loads(
            await self._post("login", f"content-type: {_FORM}\r\n", body)
        )
        return answer["access_token"]

    async def log_out(self, token: str) -> None:
        await self._post("logout", f"authorization: Bearer {token}\r\n", "")

    async def _post(self, name: str, headers: str, body: str) -> bytes:
        reader, writer = self._free.pop() if self._free else await self._connection()
        head = f"POST /auth/{name} HTTP/1.1\r\nhost: localhost\r\n{headers}"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        status, *fields = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        sizes = [int(each[15:]) for each in fields if each.startswith(b"content-length:")]
        answer = await reader.readexactly(sum(sizes))
        if not status.startswith(b"http/1.1 2"):
            raise HttpRefusedError(name, status.decode())
        self._free.append((reader, writer))
        return answer

    async def _connection(self) -> Stream:
        return await asyncio.open_connection("127.0.0.1", self._port)
