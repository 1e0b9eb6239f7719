"""What a look at something tells."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was looked at, and what was found. A fault keeps the service from starting.

    One that `hides` leaves nothing to be looked at by those who need it.
    """

    what: str
    state: State
    says: str
    hides: bool = False
