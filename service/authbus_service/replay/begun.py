"""What every replay has: an id that tells when it began, and where its originals lie."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from authbus_service.core import clock
from authbus_service.core.ids import id_time

# Called with a step's name, how much of it is done, and how much there is, where that is known.
Tell = Callable[[str, int, int | None], None]

# Clocks of the brokers and of this process may differ by less than this.
SKEW = timedelta(hours=1)
# A partition and an offset.
Original = tuple[int, int]


def begun_at(replay_id: UUID) -> datetime:
    """When a replay was begun: its id tells."""
    return id_time(replay_id) or clock.now()
