"""Ports on the loopback."""

import socket
from collections.abc import Collection
from contextlib import ExitStack

from authbus_service.embedded.errors import PortTakenError


def free(count: int, *, besides: Collection[int] = ()) -> list[int]:
    """Return ports that nothing listens on just now; another process may still be faster.

    Those `besides` are somebody's who does not listen yet, and are not among them.
    """
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count + len(besides))]
        for one in found:
            one.bind(("127.0.0.1", 0))
        numbers = [one.getsockname()[1] for one in found]
        return [number for number in numbers if number not in besides][:count]


def check_free(port: int) -> None:
    """Raise PortTakenError when something listens on a port that was asked for."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            msg = (
                f"port {port} on 127.0.0.1 cannot be used: {error.strerror}. End what listens there"
            )
            raise PortTakenError(msg) from error
