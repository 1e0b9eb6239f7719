"""What became of the records of a replay, each counted once."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class Summary:
    """A replay's records. What is `selected` is in exactly one of the counts behind `selected`.

    `already_handled`: the service had handled this command. `applied`: it was decided now for the
    first time. `expired`: too old to be decided, or without an id that tells how old it is.
    `without_effect`: a question, or refused before it was decided. `dead_again`: a dead letter as
    before. `not_sent`: its bytes could not be had or are too many. `waiting`: no service has come
    to it so far. `undecided`, of a dry run: the service would look at it anew. `copies` of earlier
    replays are passed over, their originals are replayed.
    """

    replay_id: UUID
    topic: str
    dry_run: bool
    copies: int = 0
    selected: int = 0
    already_handled: int = 0
    applied: int = 0
    expired: int = 0
    without_effect: int = 0
    dead_again: int = 0
    not_sent: int = 0
    waiting: int = 0
    undecided: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to look at."""
        return not (self.dead_again or self.not_sent or self.waiting)

    def as_json(self) -> dict[str, Any]:
        """All of it, ready to be written; a dry run's has no more than it can know."""
        facts = asdict(self) | {"replay_id": str(self.replay_id)}
        left_out = _NEVER_DRY if self.dry_run else ("undecided",)
        return {name: value for name, value in facts.items() if name not in left_out}


_NEVER_DRY = ("applied", "without_effect", "dead_again", "waiting")
