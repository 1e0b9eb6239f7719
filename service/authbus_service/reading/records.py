"""Records as they lie on a topic, what marks a copy of one, and which of them are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from authbus.batches import fault
from authbus.envelope import client_of, read_headers

Record = ConsumerRecord[Any, Any]

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


@dataclass(frozen=True, slots=True)
class Where:
    """A filter: of each named field, one of its values. Nothing named: all.

    `type` (LogIn, or authbus.LogIn.v1), `client`, `id` and `subject` are read from the headers.
    """

    wanted: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    NAMES = ("type", "client", "id", "subject")

    @classmethod
    def read(cls, conditions: Iterable[str]) -> "Where":
        """From `type=LogIn`, `client=web` ... Raises ValueError."""
        wanted: dict[str, list[str]] = {}
        for each in conditions:
            name, is_one, value = each.partition("=")
            if not is_one or name not in cls.NAMES or not value:
                raise ValueError(f"{each!r} is none of {', '.join(f'{n}=...' for n in cls.NAMES)}")
            wanted.setdefault(name, []).append(value)
        return cls(wanted)

    def __call__(self, record: Record) -> bool:
        """Whether the record is asked for."""
        if not self.wanted:
            return True
        headers = read_headers(record.headers)
        kind = headers.get("ce_type", "")
        said = {
            "type": {kind, short(kind)},
            "client": {client_of(headers.get("ce_source", ""))},
            "id": {headers.get("ce_id", "")},
            "subject": {headers.get("ce_subject", "")},
        }
        return all(said[name] & set(values) for name, values in self.wanted.items())


def short(kind: str) -> str:
    """`LogIn` of `authbus.LogIn.v1`."""
    return kind.removeprefix("authbus.").rpartition(".")[0]
