"""Records as they lie on a topic, and which of them are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord

from authbus.envelope import client_of, read_headers

Record = ConsumerRecord[Any, Any]


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
