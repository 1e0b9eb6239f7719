"""What a run is to do, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from time import monotonic

from tests.chaos.checker.history import History
from tests.chaos.run.members import End
from tests.chaos.run.menu import Profile
from tests.chaos.run.nemesis import Struck

ANSWERED_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """What is to be done: for so many seconds, from this seed, with faults of this menu.

    Each client asks for so many people at once.
    """

    seconds: float
    seed: int
    menu: tuple[str, ...]
    profile: Profile = "small"
    askers: int = 32


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
