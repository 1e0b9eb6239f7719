"""What a checker says: which invariant is broken, by which rule, and whom it concerns."""

from dataclasses import dataclass
from enum import StrEnum


class Invariant(StrEnum):
    """What must hold, whatever happens meanwhile."""

    I1 = "I1: each command has its effect once, and none is gone without a word"
    I2 = "I2: what was written and what was said are the same"
    I3 = "I3: nothing is said that was not committed, and nothing by halves"
    I4 = "I4: each user's events count 1, 2, 3 in the order of their commits"
    I5 = "I5: each command has one answer, that of its effect, and for its asker alone"
    I6 = "I6: a replay changes nothing"
    I7 = "I7: what has ended has ended for everybody who asks afterwards"
    I8 = "I8: one address has one user, and guesses are bounded"
    I9 = "I9: offsets follow the fence, and no transaction hangs"
    I10 = "I10: no secret is readable, each line of the log is JSON, and nothing grows"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One violation. `about` names the command, event, session, user or partition."""

    invariant: Invariant
    rule: str
    about: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.invariant.name} {self.rule}: {self.about}"
