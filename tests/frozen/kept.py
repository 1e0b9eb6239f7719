"""What is kept of a version: its records, as they lay on its topics, and its spec.

The keys are test keys, made for nothing else: they have never been anybody's.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from aiokafka import ConsumerRecord
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from authbus.envelope import Header, read_headers
from authbus.kafka.following import Record
from authbus.sealing import ReplyKey
from authbus.topics import COMMAND_TOPICS, KEYS_STATE, TOPICS, Topic, replies

HERE = Path(__file__).parent
CLIENT = "web"
REPLIES = replies(CLIENT)
MASTER = b"authbus test key, not a secret!!"
REPLY_KEY = ReplyKey(derive_private_key(int.from_bytes(MASTER), SECP256R1()))
# What the relay remembers for itself is no part of the contract.
KEPT = (*(each for each in TOPICS if each.suffix != "relay.v1"), REPLIES)


@dataclass(frozen=True, slots=True)
class Kept:
    """One record. All that authbus writes is text."""

    partition: int
    offset: int
    timestamp: int
    key: str | None
    headers: list[tuple[str, str]]
    value: str | None

    @classmethod
    def of(cls, record: Record) -> "Kept":
        return cls(
            partition=record.partition,
            offset=record.offset,
            timestamp=record.timestamp,
            key=None if record.key is None else record.key.decode(),
            headers=[(name, (value or b"").decode()) for name, value in record.headers],
            value=None if record.value is None else record.value.decode(),
        )

    @property
    def raw_headers(self) -> list[Header]:
        return [(name, value.encode()) for name, value in self.headers]

    @property
    def kind(self) -> str:
        return read_headers(self.raw_headers).get("ce_type", "")

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.timestamp / 1000, UTC)

    def record(self, topic: Topic) -> Record:
        """As a consumer gives it."""
        return ConsumerRecord(
            topic=topic.name(),
            partition=self.partition,
            offset=self.offset,
            timestamp=self.timestamp,
            timestamp_type=1,
            key=None if self.key is None else self.key.encode(),
            value=None if self.value is None else self.value.encode(),
            checksum=None,
            serialized_key_size=0,
            serialized_value_size=0,
            headers=tuple(self.raw_headers),
        )


@dataclass(frozen=True)
class Version:
    """A version whose client and service these records are of."""

    folder: Path

    @property
    def spec(self) -> Path:
        return self.folder / "spec"

    @cached_property
    def trust(self) -> str:
        return (self.folder / "trust").read_text(encoding="utf-8").strip()

    def records(self, topic: Topic) -> list[Kept]:
        lines = self._file(topic).read_text(encoding="utf-8").splitlines()
        return [Kept(**json.loads(line)) for line in lines]

    def commands(self) -> Iterator[tuple[Topic, Kept]]:
        """In the order in which they were sent: each was sent when the one before was answered."""
        found = [(topic, each) for topic in COMMAND_TOPICS for each in self.records(topic)]
        yield from sorted(found, key=lambda each: (each[1].timestamp, _id(each[1])))

    def key_records(self) -> list[Record]:
        return [each.record(KEYS_STATE) for each in self.records(KEYS_STATE)]

    def keep(self, topic: Topic, records: list[Kept]) -> None:
        lines = (json.dumps(asdict(each), separators=(",", ":")) for each in records)
        self._file(topic).parent.mkdir(parents=True, exist_ok=True)
        self._file(topic).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def keep_trust(self, thumbprint: str) -> None:
        (self.folder / "trust").write_text(f"{thumbprint}\n", encoding="utf-8")

    def _file(self, topic: Topic) -> Path:
        return self.folder / "topics" / f"{topic.suffix}.jsonl"


def versions() -> list[Version]:
    """Those that are kept, the newest last."""
    found = [path.parent for path in HERE.glob("*/trust")]
    return [Version(each) for each in sorted(found, key=_numbers)]


def _numbers(folder: Path) -> list[int]:
    return [int(each) for each in folder.name.split(".")]


def _id(kept: Kept) -> str:
    return read_headers(kept.raw_headers)["ce_id"]
