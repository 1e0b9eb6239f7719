"""What a look at something tells."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was looked at, and what was found. A fault keeps the service from starting.

    One that `hides` stands in the way of what would be looked at after it.
    """

    what: str
    state: State
    says: str
    hides: bool = False
