"""Programs as processes of their own that need not import all anew: see `tests.rig.forks`."""

import asyncio
import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio import ReadTransport, StreamReader, StreamReaderProtocol, StreamWriter
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from tests.rig.forks import TOLD, Request

_REPOSITORY = Path(__file__).resolve().parents[2]
_ENVIRONMENT = ("PATH", "PYTHONPATH", "HOME", "LANG")
_LAST_WORDS_SECONDS = 1
_STOP_SECONDS = 10


class _Output(StreamReaderProtocol):
    """What a program says through a pipe."""

    def __init__(self) -> None:
        self.reader = StreamReader()
        self._over = asyncio.Event()
        self._pipe: ReadTransport | None = None
        super().__init__(self.reader)

    async def open(self, pipe: int) -> None:
        loop, file = asyncio.get_running_loop(), os.fdopen(pipe, "rb", 0)
        self._pipe, _ = await loop.connect_read_pipe(lambda: self, file)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._over.set()

    async def close(self) -> None:
        """Close it when all is read, or some other process has kept it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), _LAST_WORDS_SECONDS)
        assert self._pipe is not None
        self._pipe.close()


class Program:
    """A process with what asyncio's own has; errors that go to a file are not in `stderr`."""

    def __init__(
        self,
        pid: int,
        told: socket.socket,
        outputs: tuple[_Output, _Output],
        stdin: StreamWriter | None,
    ) -> None:
        self.pid = pid
        self.stdin = stdin
        self.returncode: int | None = None
        self.stdout, self.stderr = (each.reader for each in outputs)
        self._told, self._outputs = told, outputs
        self._end = asyncio.create_task(self._until_the_end())

    async def wait(self) -> int:
        """Its exit status, or less than 0: the signal that ended it."""
        return await asyncio.shield(self._end)

    async def communicate(self) -> tuple[bytes, bytes]:
        """All that it says until its end: output and errors."""
        out, err = await asyncio.gather(*(each.reader.read() for each in self._outputs))
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def _until_the_end(self) -> int:
        with self._told:
            self.returncode = await _number(self._told)
        await asyncio.gather(*(each.close() for each in self._outputs))
        if self.stdin is not None:
            self.stdin.close()
        return self.returncode


async def start(
    *arguments: str,
    environment: Mapping[str, str],
    folder: Path,
    given: str | None = "",
    errors: IO[bytes] | IO[str] | None = None,
    module: str = "authbus_service",
) -> Program:
    """Start `python -m MODULE ARGUMENTS...` with `given` as its input and nothing to follow.

    None: what follows goes to `stdin`.
    It has this environment alone. Its errors can be read as its output can, or go to a file.
    """
    outputs, ends = (_Output(), _Output()), [os.pipe(), os.pipe(), os.pipe()]
    (read, write), *said = ends
    if given is not None:
        os.write(write, given.encode())
        os.close(write)
    for output, (pipe, _) in zip(outputs, said, strict=True):
        await output.open(pipe)
    theirs = [read, *(pipe for _, pipe in said)]
    standard = theirs if errors is None else [*theirs[:2], errors.fileno()]
    ours, told = socket.socketpair()
    ours.setblocking(False)
    with TemporaryFile("w+", encoding="utf-8") as request, told:
        json.dump(Request(module, list(arguments), dict(environment), str(folder)), request)
        request.seek(0)
        socket.send_fds(_server(), [b"?"], [request.fileno(), *standard, told.fileno()])
    for each in theirs:
        os.close(each)
    stdin = await _input(write) if given is None else None
    return Program(await _number(ours), ours, outputs, stdin)


async def _input(pipe: int) -> StreamWriter:
    loop, file = asyncio.get_running_loop(), os.fdopen(pipe, "wb", 0)
    connected = await loop.connect_write_pipe(lambda: StreamReaderProtocol(StreamReader()), file)
    return StreamWriter(*connected, None, loop)


async def _number(told: socket.socket) -> int:
    said = await asyncio.get_running_loop().sock_recv(told, TOLD.size)
    assert said, "the fork server has ended"
    return TOLD.unpack(said)[0]


@cache
def _server() -> socket.socket:
    """The socket to this process's fork server."""
    ours, theirs = socket.socketpair()
    with theirs:
        child = subprocess.Popen(
            (sys.executable, "-m", "tests.rig.forks"),
            cwd=_REPOSITORY,
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),  # no terminal, as what its forks get; it says nothing
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            start_new_session=True,  # Ctrl-C is for us; when we end, it ends
        )

    def stop() -> None:
        ours.close()
        child.wait(_STOP_SECONDS)

    atexit.register(stop)
    return ours
