"""What a look at something tells."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what was found. A fault keeps the service from starting."""

    what: str
    state: State
    says: str
