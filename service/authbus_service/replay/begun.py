"""What every replay has: an id that tells when it began, and where its originals lie."""

from datetime import datetime, timedelta
from uuid import UUID

from authbus_service.core import clock
from authbus_service.core.ids import id_time

# Clocks of the brokers and of this process may differ by less than this.
SKEW = timedelta(hours=1)
# A partition and an offset.
Original = tuple[int, int]


def begun_at(replay_id: UUID) -> datetime:
    """When a replay was begun: its id tells."""
    return id_time(replay_id) or clock.now()
