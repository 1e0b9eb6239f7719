"""A connection to PostgreSQL: a server that is gone is noticed, and no COMMIT is ever cancelled.

A host that vanishes says nothing, and whoever waits for its answer would wait for ever. PostgreSQL
that is asked to cancel a COMMIT no longer waits for its standby: what was committed here alone
would count from then on.
"""

import asyncio
import socket
from typing import Any

import asyncpg

# What was sent may be unacknowledged, and a peer at rest silent, for this long: then the kernel
# ends the connection. What a kernel has no name for it does in its own time.
_SILENCE = {
    "TCP_KEEPIDLE": 5,
    "TCP_KEEPINTVL": 2,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 10_000,  # milliseconds
}
_COMMIT = "COMMIT;"
_NO_LIMIT = 86_400.0  # a day: asyncpg takes None for the usual one


class Connection(asyncpg.Connection):  # pyright: ignore[reportMissingTypeArgument]
    """asyncpg's, as SQLAlchemy opens them here."""

    def __init__(self, protocol: Any, transport: asyncio.Transport, *more: Any) -> None:  # noqa: ANN401 - asyncpg's own
        """Have the kernel look whether the other side is there."""
        super().__init__(protocol, transport, *more)
        _heed_silence(transport.get_extra_info("socket"))

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:
        """Run it; whoever is cancelled during a COMMIT gives the connection up, and asks nobody."""
        if query != _COMMIT:
            return await super().execute(query, *args, timeout=timeout)
        try:
            return await super().execute(query, timeout=_NO_LIMIT)
        except asyncio.CancelledError:
            self.terminate()  # and with it what asyncpg is about to ask for
            raise


def _heed_silence(peer: socket.socket) -> None:
    if peer.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _SILENCE.items():
        if option := getattr(socket, name, None):
            peer.setsockopt(socket.IPPROTO_TCP, option, value)
