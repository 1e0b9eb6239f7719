"""Ports on the loopback."""

import socket
from collections.abc import Collection
from contextlib import suppress
from random import SystemRandom

from authbus_service.embedded.errors import PortTakenError

# No system takes one of these for a connection that goes out, as it may take any above.
_OURS = range(20_000, 32_768)


def free(count: int, *, besides: Collection[int] = ()) -> list[int]:
    """Return ports that nothing listens on just now; another process may still be faster.

    Those `besides` are somebody's who does not listen yet, and are not among them. Raises
    PortTakenError when there are not so many.
    """
    found: list[int] = []
    for port in SystemRandom().sample(_OURS, len(_OURS)):
        if len(found) == count:
            break
        with suppress(PortTakenError):
            check_free(port)
            found += [] if port in besides else [port]
    else:
        raise PortTakenError(f"no {count} ports are free on 127.0.0.1. End what listens there")
    return found


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
