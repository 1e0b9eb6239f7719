"""Where brokers live: in network namespaces on one bridge, for root, or all on the loopback."""

import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from secrets import randbelow, token_hex

from authbus_service.embedded.ports import free


@dataclass(frozen=True, slots=True)
class Place:
    """An address, and the ports of a broker, of its controller, and behind a proxy's door.

    One in a namespace has that namespace's name, and its cable's end here.
    """

    address: str
    port: int = 9092
    controller_port: int = 9093
    door_port: int = 9094
    name: str = ""
    cable: str = ""


@dataclass(frozen=True, slots=True)
class Net:
    """Where programs in namespaces can be cut off from all, or from each other alone."""

    places: Sequence[Place]

    def cut(self, place: Place, *, on: bool) -> None:
        """Pull its cable: nobody reaches it, nor this machine; `on=False` plugs it in."""
        _ip("link", "set", place.cable, "down" if on else "up")

    def cut_from_peers(self, place: Place, *, on: bool) -> None:
        """Let nothing of it come to its peers; this machine still reaches it and them."""
        for each in self.places:
            if each is not place:
                verb = "add" if on else "del"
                _ip("-n", place.name, "route", verb, "blackhole", f"{each.address}/32")


def inside(place: Place, command: Sequence[str]) -> list[str]:
    """The command line that runs a program there, under the same process id."""
    if not place.name:
        return [*command]
    return [_program(), "netns", "exec", place.name, *command]


def can_be_had() -> bool:
    """Whether this process may make such namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    with suppress(subprocess.CalledProcessError), _apart(1):
        return True
    return False


@contextmanager
def a_net(count: int) -> Generator[Net]:
    """So many places for the length of a block, apart from each other where that can be had."""
    if can_be_had():
        with _apart(count) as net:
            yield net
    else:
        ports = iter(free(3 * count))
        yield Net([Place("127.0.0.1", next(ports), next(ports), next(ports)) for _ in range(count)])


@contextmanager
def _apart(count: int) -> Generator[Net]:
    tag, prefix = token_hex(3), f"10.{128 + randbelow(128)}.{randbelow(256)}"
    bridge = f"ch{tag}"
    with ExitStack() as opened:
        _ip("link", "add", bridge, "type", "bridge")
        opened.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{prefix}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        places: list[Place] = []
        for n in range(1, count + 1):
            place = Place(f"{prefix}.{n}", name=f"chaos-{tag}-{n}", cable=f"ch{tag}v{n}")
            _ip("netns", "add", place.name)
            opened.callback(_ip, "netns", "del", place.name)
            _lay(place, bridge)
            places.append(place)
        yield Net(places)


def _lay(place: Place, bridge: str) -> None:
    _ip("link", "add", place.cable, "type", "veth", "peer", "eth0", "netns", place.name)
    _ip("link", "set", place.cable, "master", bridge, "up")
    _ip("-n", place.name, "addr", "add", f"{place.address}/24", "dev", "eth0")
    for each in ("lo", "eth0"):
        _ip("-n", place.name, "link", "set", each, "up")


def _ip(*arguments: str) -> None:
    subprocess.run((_program(), *arguments), check=True, stderr=subprocess.DEVNULL)


def _program() -> str:
    return shutil.which("ip") or "ip"
