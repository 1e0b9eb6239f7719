"""Ports on the loopback."""

import socket
from collections.abc import Collection
from itertools import islice
from random import SystemRandom

from authbus_service.embedded.errors import PortTakenError

# As systems come, none takes one of these for a connection that goes out.
_OURS = range(20_000, 32_768)


def free(count: int, *, besides: Collection[int] = ()) -> list[int]:
    """Return ports that nothing listens on just now; another process may still be faster.

    Those `besides` are somebody's who does not listen yet, and are not among them. Raises
    PortTakenError when there are not so many.
    """
    start = SystemRandom().randrange(len(_OURS))
    candidates = (port for port in (*_OURS[start:], *_OURS[:start]) if port not in besides)
    found = list(islice(filter(_is_free, candidates), count))
    if len(found) < count:
        raise PortTakenError(f"no {count} ports are free on 127.0.0.1. End what listens there")
    return found


def _is_free(port: int) -> bool:
    try:
        check_free(port)
    except PortTakenError:
        return False
    return True


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
