"""How often something else was asked under the id of a handled command.

Each answer to such a record tells whether a guess at what was asked, a password say, is right:
without a hash, and counted nowhere else.
"""

from collections import OrderedDict
from uuid import UUID

from authbus_service.core.logging import get_logger

MOST = 5
# Ids are taken for ten minutes: who wants one forgotten has to ask under so many others meanwhile.
_KEPT = 10_000

_log = get_logger(__name__)


class Mismatches:
    """Of one process, the newest ids alone."""

    def __init__(self) -> None:
        """Nobody has asked yet."""
        self._counts: OrderedDict[UUID, int] = OrderedDict()

    def note(self, id_: UUID) -> None:
        """Something else was asked under this id."""
        self._counts[id_] = count = self._counts.pop(id_, 0) + 1
        if count == MOST:
            _log.warning("somebody guesses at a command")
        if len(self._counts) > _KEPT:
            self._counts.popitem(last=False)

    def are_many(self, id_: UUID) -> bool:
        """Whether nothing more is told of this id."""
        return self._counts.get(id_, 0) >= MOST
