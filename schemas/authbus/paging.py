"""Pages: as many rows as one sealed answer takes, and where the next page begins."""

from dataclasses import dataclass
from typing import Self

from pydantic_core import to_json

from authbus.message import Reply

# Sealed, a third more, and below what a record may hold.
MOST_BYTES = 47_000
# The longest `next`, with its name.
_NEXT = 320


@dataclass(slots=True)
class Room:
    """What an answer still takes. No row is as large as a page: the first always fits."""

    left: int
    is_new: bool = True

    @classmethod
    def beside(cls, around: Reply) -> Self:
        """The room of this answer, which has no rows yet."""
        return cls(MOST_BYTES - len(around.to_bytes()) - _NEXT)

    def takes(self, row: object) -> bool:
        """Whether this row fits in too."""
        self.left -= len(to_json(row)) + 1
        fits = self.is_new or self.left >= 0
        self.is_new = False
        return fits
