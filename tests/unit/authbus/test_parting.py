"""A connection over TLS is closed at once, also where the other side does not say good-bye."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from authbus.tls import Tls
from tests.rig.pki import Authority

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
SOON = 2.0
Loop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def silent(authority: Authority) -> Iterator[int]:
    """The port of a server that answers with a word, and then neither reads nor closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("kafka"))
    over = threading.Event()

    def serve(listening: socket.socket) -> None:
        bare, _ = listening.accept()
        with bare, context.wrap_socket(bare, server_side=True) as connection:
            connection.send(b"here\n")
            over.wait()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        yield listening.getsockname()[1]
        over.set()
        serving.join()


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_nobody_waits_for_a_good_bye_that_does_not_come(
    authority: Authority, silent: int, loop: Loop
) -> None:
    context = Tls(authority.file).context()

    async def spoken() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", silent, ssl=context)
        said = await reader.readline()
        writer.close()
        try:
            async with asyncio.timeout(SOON):
                await writer.wait_closed()
        finally:
            writer.transport.abort()  # else a loop that waits for it does not close either
        return said

    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(spoken()) == b"here\n"
