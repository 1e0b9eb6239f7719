"""Records that need nothing more, found for a whole fetch at once: so that replays are cheap.

They were handled, byte for byte, and the time is over in which somebody waited for the answer: the
way of a command ends there too. Every other record goes that way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.labels import claimed_id, instant
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.watch import REPEATED, Watch
from authbus_service.inbox import repository as inbox

_TYPE = "ce_type"


@dataclass(frozen=True, slots=True)
class Passing:
    """Asks the inbox, once for all that may be such."""

    database: Database
    watch: Watch

    async def __call__(self, arrivals: Iterable[Arrival]) -> set[int]:
        """The indexes of these in their order; none while the database is away."""
        now = clock.now()
        claimed = [
            (index, each, id_)
            for index, each in enumerate(arrivals)
            if each.fault is None and (id_ := _claim(each.headers, now)) is not None
        ]
        if not claimed:
            return set()
        shown = [inbox.Shown(id_, each.digest) for _, each, id_ in claimed]
        try:
            async with self.database.reading() as db:
                over = await inbox.over(db, shown, now)
        except OUTAGE:
            return set()
        passed = [claimed[number] for number in over]
        for _, each, _ in passed:
            self.watch.finished((dict(each.headers).get(_TYPE) or b"").decode(), REPEATED)
        return {index for index, _, _ in passed}


def _claim(headers: Sequence[tuple[str, bytes | None]], now: datetime) -> UUID | None:
    """The id of a record whose headers are in order and say that its time is over."""
    named = dict(headers)
    id_, expiry, values = named.get("ce_id"), named.get("ce_expirytime"), named.values()
    if id_ is None or expiry is None or len(named) < len(headers) or None in values:
        return None
    try:
        expires_at = instant(expiry.decode())
        if expires_at is None or now < expires_at:
            return None
        # All at once: a byte between them is part of no other letter.
        b"\0".join(each for each in values if each is not None).decode()
        return claimed_id(id_.decode())
    except ValueError:
        return None
