"""What may be done to a run, in lanes: one fault of each may be under way at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tests.chaos.nodes import net
from tests.chaos.run import commits, crashes, disks, jumps, nodes, upkeep, wire

Profile = Literal["small", "soak", "full", "kills", "gate"]
PROFILES: tuple[Profile, ...] = ("small", "soak", "full", "kills", "gate")
KILLS = ("kill a service", "kill the broker", "kill PostgreSQL", "terminate backends")
_STOPPED = ("stop a service", "stop the broker", "stop PostgreSQL")
STOPS = (*_STOPPED, *map(wire.FOR_LONG.format, _STOPPED))
TERMINATIONS = ("terminate backends", "terminate who writes")
_RESTARTS, _ROTATES = "restart all services", "rotate keys"
OPERATIONS = (_RESTARTS, _ROTATES)
KILLS_AND_STOPS = (
    *(each for each in KILLS if each.startswith("kill")),
    *STOPS,
    *crashes.MENU,
    *nodes.KILLS_AND_STOPS,
)
_OF_ONE_BROKER = {
    *(each for each in (*KILLS, *STOPS) if "the broker" in each),
    *disks.MENU,
}
_TO_BE_SEEN = ("kill a service", "kill the broker", "kill PostgreSQL", *crashes.OF_THE_RELAY)
_ENDS_A_SERVICE = {"kill a service", _RESTARTS, *crashes.MENU}
# In two minutes not each has its turn, so two seeds in a row share them: an even one has the first.
_HALVES = (
    (
        *STOPS,
        _ROTATES,
        *({*crashes.MENU} - {*crashes.OF_THE_RELAY}),
        *upkeep.MENU,
        *commits.UNKNOWN,
    ),
    (*KILLS, _RESTARTS, *crashes.OF_THE_RELAY, *commits.MENU, *jumps.MENU),
)


@dataclass(frozen=True)
class Lane:
    """In a run that counts each of its faults takes no longer than so many seconds on average.

    `rest` are the seconds from one to the next.
    """

    names: tuple[str, ...]
    seconds: float
    rest: tuple[float, float] = (0.3, 1.5)

    def chosen(self, menu: tuple[str, ...]) -> list[str]:
        """What is on this menu too."""
        return [each for each in menu if each in self.names]


LANES = (
    Lane((*KILLS, *STOPS, *OPERATIONS, *crashes.MENU, *disks.MENU), 8.0, rest=(0.5, 4.0)),
    Lane(wire.MENU, 5.0),
    # Between two of these the other lanes find something to break.
    Lane(nodes.MENU, 15.0, rest=(2.0, 7.0)),
    Lane((*commits.MENU, *upkeep.MENU), 12.0),
    Lane(jumps.MENU, 20.0, rest=(2.0, 10.0)),
)


def menu(profile: Profile, seed: int = 0) -> tuple[str, ...]:
    """All that can be done on this machine: to one broker, or with `full` to three.

    `soak` lets the services live, so that it can be seen what grows in them; `kills` only kills, so
    that it can be seen how soon each is got over. `gate` does what needs no root, one half of it
    from an odd seed and one from an even one; only the wire is broken by both.
    """
    without: set[str] = set()
    match profile:
        case "small":
            without = {*nodes.MENU}
        case "soak":
            without = {*nodes.MENU, *_ENDS_A_SERVICE}
        case "full":
            without = _OF_ONE_BROKER if net.can_be_had() else {*_OF_ONE_BROKER, *nodes.OF_A_NET}
        case "kills":
            return _TO_BE_SEEN
        case "gate":
            half = (*_HALVES[seed % 2], *wire.MENU)
            return tuple(each for each in _but({*disks.MENU}) if each in half)
    if not disks.can_be_had():
        without |= {*disks.MENU}
    return tuple(_but(without))


def _but(without: set[str]) -> Iterable[str]:
    return (each for lane in LANES for each in lane.names if each not in without)
