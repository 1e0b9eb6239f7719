"""An embedded broker with one listener for direct clients and one that leads through a proxy."""

from dataclasses import dataclass
from pathlib import Path

from authbus_service.embedded.ports import free
from authbus_service.embedded.stack import EmbeddedStack
from tests.chaos.proxy import Door, Proxy

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class ProxiedListener:
    """The ports of such a broker, chosen before anything runs.

    Clients that bootstrap at `proxied` are told to come back to the proxy for every connection;
    those that bootstrap at `direct`, and the broker's talk with itself, never meet it.
    """

    direct_port: int
    broker_port: int
    proxy_port: int

    @property
    def direct(self) -> str:
        """Bootstrap address past the proxy."""
        return f"{_HOST}:{self.direct_port}"

    @property
    def proxied(self) -> str:
        """Bootstrap address through the proxy."""
        return f"{_HOST}:{self.proxy_port}"

    def stack(self, *, postgres: bool = False, data: Path | None = None) -> EmbeddedStack:
        """Plan the embedded stack, not started yet."""
        return EmbeddedStack(
            data=data,
            postgres=postgres,
            kafka_port=self.direct_port,
            broker_config={
                "listeners": f"PROXIED://{_HOST}:{self.broker_port}",
                "advertised.listeners": f"PROXIED://{self.proxied}",
                "listener.security.protocol.map": "PROXIED:PLAINTEXT",
            },
        )

    def proxy(self) -> Proxy:
        """Plan a proxy with no faults; one at a time, since the port is always the same."""
        return Proxy(Door(self.broker_port, port=self.proxy_port))


def proxied_listener() -> ProxiedListener:
    """Choose three ports that are free just now."""
    return ProxiedListener(*free(3))
