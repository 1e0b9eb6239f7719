"""What may be done to a run, in lanes: one fault of each may be under way at a time."""

from dataclasses import dataclass

from tests.chaos.run import commits, crashes, disks, upkeep, wire

KILLS = ("kill a service", "kill the broker", "kill PostgreSQL", "terminate backends")
STOPS = ("stop a service", "stop the broker", "stop PostgreSQL")
OPERATIONS = ("restart a service", "rotate keys")
KILLS_AND_STOPS = (*(each for each in KILLS if each.startswith("kill")), *STOPS, *crashes.MENU)


@dataclass(frozen=True)
class Lane:
    """In a run that counts each of its faults takes no longer than so many seconds on average."""

    names: tuple[str, ...]
    seconds: float

    def chosen(self, menu: tuple[str, ...]) -> list[str]:
        """What is on this menu too."""
        return [each for each in menu if each in self.names]


LANES = (
    Lane((*KILLS, *STOPS, *OPERATIONS, *crashes.MENU, *disks.MENU), 8.0),
    Lane(wire.MENU, 5.0),
    Lane((*commits.MENU, *upkeep.MENU), 8.0),
)
_ALL = tuple(name for lane in LANES for name in lane.names)


def menu() -> tuple[str, ...]:
    """All that can be done on this machine."""
    return tuple(each for each in _ALL if each not in disks.MENU or disks.can_be_had())
