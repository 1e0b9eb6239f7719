"""What goes through a WebSocket: a command's streams, and a port's as SPDY/3.1."""

import json
import struct
import zlib
from collections.abc import Callable, Iterator

from tests.interop.stand_in.kinds import Json
from tests.interop.stand_in.websocket import WebSocket

COMMAND = "v5.channel.k8s.io"
PORT = "SPDY/3.1+portforward.k8s.io"

_STDOUT, _ERROR = 1, 3
_SYN_STREAM, _SYN_REPLY = 1, 2
_FIN = 1
_VERSION = 0x8003


def command(socket: WebSocket, out: str) -> None:
    """Say that it printed this and ended well."""
    socket.send(bytes([_STDOUT]) + out.encode())
    socket.send(bytes([_ERROR]) + json.dumps({"status": "Success"}).encode())
    socket.close()
    for _ in socket.messages():
        pass


def port(socket: WebSocket, dictionary: bytes, answer: Callable[[Json, bytes], bytes]) -> None:
    """Answer each connection once, by what its stream's headers are and its first bytes say."""
    names = zlib.decompressobj(zdict=dictionary)
    replies = zlib.compressobj(zdict=dictionary)
    streams: dict[int, Json] = {}
    errors: list[int] = []
    for head, body in _frames(socket):
        if head >> 16 == _VERSION and head & 0xFFFF == _SYN_STREAM:
            (stream,) = struct.unpack("!I", body[:4])
            streams[stream] = _headers(names.decompress(body[10:]))
            empty = replies.compress(struct.pack("!I", 0)) + replies.flush(zlib.Z_SYNC_FLUSH)
            _control(socket, _SYN_REPLY, struct.pack("!I", stream) + empty)
            if streams[stream]["streamtype"] == "error":
                errors.append(stream)
        elif not head >> 31 and body:
            _data(socket, head, answer(streams[head], body))
            for each in errors:
                _data(socket, each, b"")
            errors.clear()


def _frames(socket: WebSocket) -> Iterator[tuple[int, bytes]]:
    """Each with its first word, and without its flags, of which none matters here."""
    waiting = b""
    for message in socket.messages():
        waiting += message
        while len(waiting) >= 8:
            head, size = struct.unpack("!II", waiting[:8])
            end = 8 + (size & 0xFFFFFF)
            if len(waiting) < end:
                break
            yield head, waiting[8:end]
            waiting = waiting[end:]


def _headers(block: bytes) -> Json:
    (count,) = struct.unpack("!I", block[:4])
    at, words = 4, list[str]()
    for _ in range(2 * count):
        (size,) = struct.unpack("!I", block[at : at + 4])
        words.append(block[at + 4 : at + 4 + size].decode())
        at += 4 + size
    return dict(zip(words[::2], words[1::2], strict=True))


def _control(socket: WebSocket, kind: int, body: bytes) -> None:
    socket.send(struct.pack("!HHI", _VERSION, kind, len(body)) + body)


def _data(socket: WebSocket, stream: int, body: bytes) -> None:
    """All that this stream says."""
    socket.send(struct.pack("!II", stream, _FIN << 24 | len(body)) + body)
