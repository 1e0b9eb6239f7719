"""uvicorn in our own event loop; signals stay ours."""

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from faststream.asgi import AsgiFastStream

_DRAIN_SECONDS = 3


class PortError(RuntimeError):
    """The address cannot be listened on; the text is meant for a person."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave the process's signals alone."""
        yield


class HttpServer:
    """Serves an application from `start` to `stop`. Port 0 takes a free one."""

    def __init__(self, app: AsgiFastStream, *, host: str, port: int) -> None:
        """Plan a server; its life is not the application's: that one is started apart."""
        self._address = (host, port)
        self._server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
            )
        )
        self._task: asyncio.Task[None] | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen; raise PortError when the address is taken or not ours."""
        host, port = self._address
        try:
            listener = socket.create_server((host, port), family=_family(host))
        except OSError as error:
            raise PortError(
                f"cannot listen on {host}:{port}: {error.strerror}. "
                "Set AUTHBUS_HTTP_HOST and AUTHBUS_HTTP_PORT, or end what listens there"
            ) from None
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{listener.getsockname()[1]}"
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]), name="http")

    async def stop(self) -> None:
        """Answer what was asked, then close; harmless when nothing runs."""
        if self._task is not None:
            self._server.should_exit = True
            await self._task
            self._task = None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
