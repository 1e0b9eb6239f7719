"""Seals opened by a process of its own: that takes as long as all else that is done with them.

It is told its keys and then seals, and answers each with what is inside. It ends with its input,
so it never outlives who asks.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import BinaryIO, cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from authbus.sealing import Seal, SealError

_LENGTH = 4
# So much is opened ahead of who reads it.
_AHEAD = 1024 * 1024


class UnsealerGoneError(RuntimeError):
    """The process that opens seals has ended; the recovery can be run again."""


class Unsealer:
    """Asks the process. One at a time may ask."""

    def __init__(self, process: Process, keys: Mapping[str, EllipticCurvePrivateKey]) -> None:
        """Tell the process its private keys, by kid."""
        if process.stdin is None or process.stdout is None:
            raise ValueError("a process without pipes")
        self._seals, self._opened = process.stdin, process.stdout
        told = {kid: _pem(key) for kid, key in keys.items()}
        self._seals.write(_framed(json.dumps(told).encode()))

    async def opened(self, seals: Iterable[bytes]) -> AsyncGenerator[bytes | None]:
        """What is inside each, in order; None for what cannot be opened."""
        asked = list(seals)
        asking = asyncio.create_task(self._ask(asked))
        try:
            for _ in asked:
                yield await self._answer()
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _ask(self, seals: Iterable[bytes]) -> None:
        for each in seals:
            self._seals.write(_framed(each))
            await self._seals.drain()

    async def _answer(self) -> bytes | None:
        try:
            length = int.from_bytes(await self._opened.readexactly(_LENGTH), "big")
            return await self._opened.readexactly(length) or None
        except asyncio.IncompleteReadError:
            raise UnsealerGoneError(
                "the process that opens seals has ended. Run authbus recover again: it goes on"
            ) from None


@asynccontextmanager
async def unsealing(keys: Mapping[str, EllipticCurvePrivateKey]) -> AsyncGenerator[Unsealer]:
    """Start the process, with these private keys by kid."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", __name__),
        stdin=PIPE,
        stdout=PIPE,
        limit=_AHEAD,
        start_new_session=True,
    )
    try:
        yield Unsealer(process, keys)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def open_all(asked: BinaryIO, answers: BinaryIO) -> None:
    """Be that process: the keys first, then seal after seal."""
    keys = {kid: _key(pem) for kid, pem in json.loads(_read(asked) or b"{}").items()}
    while (value := _read(asked)) is not None:
        answers.write(_framed(_inside(value, keys)))
        answers.flush()


def _inside(value: bytes, keys: Mapping[str, EllipticCurvePrivateKey]) -> bytes:
    try:
        seal = Seal.read(value)
        return seal.open(keys[seal.kid])
    except (SealError, KeyError):
        return b""


def _read(asked: BinaryIO) -> bytes | None:
    length = asked.read(_LENGTH)
    return asked.read(int.from_bytes(length, "big")) if length else None


def _framed(data: bytes) -> bytes:
    return len(data).to_bytes(_LENGTH, "big") + data


def _pem(key: EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _key(pem: str) -> EllipticCurvePrivateKey:
    return cast("EllipticCurvePrivateKey", load_pem_private_key(pem.encode(), None))


if __name__ == "__main__":
    open_all(sys.stdin.buffer, sys.stdout.buffer)
