"""What a run is to do, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from tests.chaos.checker.history import History
from tests.chaos.run.members import End
from tests.chaos.run.menu import Profile, menu
from tests.chaos.run.nemesis import Struck

ANSWERED_SECONDS = 30.0
_ASKERS, _PEOPLE = 64, 300
# Faults take time and load takes cores: with few askers two runs fit beside each other, and three
# brokers leave less of them. What grows in a long life is seen where no outage leaves a crowd.
_FEWER: dict[Profile, tuple[int, int]] = {"gate": (4, 48), "full": (32, 300), "soak": (32, 300)}


@dataclass(frozen=True)
class Plan:
    """What is to be done: for so many seconds, from this seed, with faults of this menu.

    Each client has so many `askers`; so many `people` are there from the beginning on.
    """

    seconds: float
    seed: int
    menu: tuple[str, ...]
    profile: Profile = "small"
    askers: int = _ASKERS
    people: int = _PEOPLE


def planned(profile: Profile, seed: int, seconds: float) -> Plan:
    """The same plan for everybody who names these three."""
    size = _FEWER.get(profile, (_ASKERS, _PEOPLE))
    return Plan(seconds, seed, menu(profile, seed), profile, *size)


@dataclass
class Run:
    """What came of it. Times are seconds of one clock; `waits` those from the heal to an answer."""

    plan: Plan
    began: float = field(default_factory=monotonic)
    healed: float = 0.0
    history: History = field(default_factory=History)
    struck: list[Struck] = field(default_factory=list[Struck])
    counts: Counter[str] = field(default_factory=Counter[str])
    replayed: Counter[str] = field(default_factory=Counter[str])
    waits: list[float] = field(default_factory=list[float])
    unanswered: list[str] = field(default_factory=list[str])
    ended_alone: list[End] = field(default_factory=list[End])
    looks_missed: int = 0
