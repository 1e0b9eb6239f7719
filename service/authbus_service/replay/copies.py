"""What marks a copy of a record, and what a copy says of itself."""

from dataclasses import dataclass
from uuid import UUID

from authbus.kafka.batches import fault
from authbus_service.reading.records import Record

# What a copy has besides the original's headers. Both only mark: nobody trusts them.
REPLAY_ID = "replay_id"
REPLAY_OF = "replay_of"


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy says of itself: which replay made it, and of which record."""

    replay_id: str
    partition: int
    offset: int


class Mark:
    """Marks the copies of one replay."""

    def __init__(self, replay_id: UUID) -> None:
        """`replay_id` is what they name."""
        self._id = REPLAY_ID, str(replay_id).encode()

    def __call__(self, record: Record) -> list[tuple[str, bytes | None]]:
        """The headers of a copy: those of the record, byte for byte, and two that mark it."""
        of = b"%d/%d" % (record.partition, record.offset)
        return [*record.headers, self._id, (REPLAY_OF, of)]


def copied(record: Record) -> Copied | None:
    """What a record says of itself as a copy; None: it is none."""
    headers = dict(record.headers)
    replay_id, of = headers.get(REPLAY_ID), headers.get(REPLAY_OF)
    if replay_id is None or of is None:
        return None
    try:
        partition, offset = map(int, of.split(b"/"))
        return Copied(replay_id.decode(), partition, offset)
    except ValueError:
        return None


def can_be_copied(record: Record) -> bool:
    """False for what stands for bytes that could not be read: they are not had in full."""
    return fault(record.headers) is None
