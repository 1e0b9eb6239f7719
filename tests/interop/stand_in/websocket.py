"""The server's end of a WebSocket, as far as kubectl needs one."""

import base64
import hashlib
import struct
from collections.abc import Iterator
from io import BufferedIOBase

_BINARY, _CLOSE, _PING, _PONG = 2, 8, 9, 10
_OF_EVERY_SERVER = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accepted(key: str) -> str:
    """`Sec-WebSocket-Accept` for this `Sec-WebSocket-Key`."""
    return base64.b64encode(hashlib.sha1(key.encode() + _OF_EVERY_SERVER).digest()).decode()  # noqa: S324


class WebSocket:
    def __init__(self, reading: BufferedIOBase, writing: BufferedIOBase) -> None:
        self._reading, self._writing = reading, writing

    def send(self, message: bytes) -> None:
        self._frame(_BINARY, message)

    def close(self) -> None:
        self._frame(_CLOSE, struct.pack("!H", 1000))

    def messages(self) -> Iterator[bytes]:
        """What comes until the other end closes it."""
        parts: list[bytes] = []
        while head := self._reading.read(2):
            code, last = head[0] & 15, head[0] & 128
            content = self._content(head[1])
            if code == _CLOSE:
                return
            if code == _PING:
                self._frame(_PONG, content)
            if code >= _CLOSE:
                continue
            parts.append(content)
            if last:
                yield b"".join(parts)
                parts.clear()

    def _content(self, length: int) -> bytes:
        """Whatever a client sends is masked."""
        size = length & 127
        if size > 125:
            form = "!H" if size == 126 else "!Q"
            (size,) = struct.unpack(form, self._reading.read(struct.calcsize(form)))
        mask = self._reading.read(4)
        content = self._reading.read(size)
        return bytes(each ^ mask[at % 4] for at, each in enumerate(content))

    def _frame(self, code: int, content: bytes) -> None:
        size = len(content)
        length = bytes([size]) if size < 126 else struct.pack("!BH", 126, size)
        self._writing.write(bytes([128 | code]) + length + content)
        self._writing.flush()
