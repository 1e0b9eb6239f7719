"""What a service can live with and somebody should know: looked at by doctor and at each start."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy import text

from authbus.state import PublicKey
from authbus.strict_json import read_json
from authbus.topics import COMMAND_TOPICS, KEYS_STATE
from authbus.trust import Trust
from authbus.verifier import MAX_STALENESS
from authbus_service.cluster import Admin
from authbus_service.core.config import Settings
from authbus_service.core.database import Database, clock_ahead
from authbus_service.inbox.partitions import RETENTION
from authbus_service.recovery.reading import Topics
from authbus_service.relay.heartbeat import oldest_writer
from authbus_service.startup.diagnosis import Diagnosis
from authbus_service.startup.looking import Look, Round

_SKEW = timedelta(seconds=1)
# As long as a Verifier waits, unless it is told another.
_STALE = timedelta(seconds=MAX_STALENESS)
_REMEMBERED = RETENTION // timedelta(milliseconds=1)
_ASYNCHRONOUS = ("off", "local")


@dataclass(frozen=True, slots=True)
class Risks:
    """Looks at one installation."""

    settings: Settings
    database: Database
    kafka: str

    def look(self, together: Round) -> AsyncGenerator[Diagnosis]:
        """Every finding but of what needs something that is away; none is a fault."""
        return together.looked(
            Look("durability", self._durability, ("database",)),
            Look("transactions", self._transactions, ("database",)),
            Look("clock", self._clock, ("database",)),
            Look("inbox", self._inbox, ("topics",)),
            Look("trust", self._trust, ("master key", "topics")),
            failed="warning",
        )

    async def _durability(self) -> Diagnosis:
        names = ("fsync", "full_page_writes", "synchronous_commit")
        async with self.database.reading() as db:
            found = [await db.scalar(text(f"SHOW {name}")) for name in names]
        weak = [name for name, value in zip(names, found, strict=True) if value in _ASYNCHRONOUS]
        if weak:
            told = f"answered commits may be lost. Turn on at PostgreSQL: {', '.join(weak)}"
            return Diagnosis("durability", "warning", told)
        return Diagnosis("durability", "ok", "commits wait for the disk")

    async def _transactions(self) -> Diagnosis:
        """No sign of life of the ended sessions goes beyond the oldest one that writes."""
        oldest = await oldest_writer(self.database)
        if oldest is None or oldest.open_for < _STALE:
            return Diagnosis("transactions", "ok", "none keeps verifiers from what has ended")
        told = (
            f"session {oldest.pid} of PostgreSQL ({oldest.application or 'no name'}, "
            f"{oldest.state}) has had one open for {oldest.open_for.total_seconds():.0f} s, so "
            "that verifiers refuse tokens. Have it committed, or end it: "
            f"SELECT pg_terminate_backend({oldest.pid})"
        )
        return Diagnosis("transactions", "warning", told)

    async def _clock(self) -> Diagnosis:
        async with self.database.reading() as db:
            apart = abs(await clock_ahead(db))
        told = f"{apart.total_seconds():.1f} s from the database's"
        if apart > _SKEW:
            return Diagnosis("clock", "warning", f"{told}. Synchronise both (NTP)")
        return Diagnosis("clock", "ok", told)

    async def _inbox(self) -> Diagnosis:
        """A record that outlives its inbox row would be told that it has expired."""
        names = [topic.name(self.settings.namespace) for topic in COMMAND_TOPICS]
        async with Admin.connect(self.kafka, self.settings.security()) as admin:
            found = await admin.settings(names)
        kept = {name: int(each["retention.ms"].value) for name, each in found.items()}
        ids = f"ids are remembered for {RETENTION.days} days"
        longer = [name for name, ms in kept.items() if ms < 0 or ms > _REMEMBERED]
        if longer:
            told = f"{ids}, records of {', '.join(longer)} are kept longer: set its retention.ms"
            return Diagnosis("inbox", "warning", told)
        return Diagnosis("inbox", "ok", f"{ids}, commands are kept for less")

    async def _trust(self) -> Diagnosis:
        """Who may write keys? A client that pins no root believes the first that it sees."""
        masters = self.settings.masters()
        roots = [masters.root_thumbprint(each) for each in masters.names]
        pin = f"pin it in every client: trust={roots[0]!r}"
        strange = await self._strange_keys(Trust(tuple(roots)))
        topic = KEYS_STATE.name(self.settings.namespace)
        if strange:
            told = f"{strange} keys on {topic} are not ours: {pin}"
            return Diagnosis("trust", "warning", told)
        if not self.settings.logs_in:
            return Diagnosis(
                "trust", "warning", f"nobody logs in, so anybody may write keys: {pin}"
            )
        return Diagnosis("trust", "ok", f"all keys are signed by our root; {pin}")

    async def _strange_keys(self, ours: Trust) -> int:
        topics = Topics(self.kafka, self.settings.namespace, self.settings.security())
        newest: dict[bytes, bytes | None] = {}
        async for batch in topics.batches([KEYS_STATE], None):
            newest |= {record.key or b"": record.value for _, record in batch}
        return sum(not _is_ours(value, ours) for value in newest.values() if value is not None)


def _is_ours(value: bytes, ours: Trust) -> bool:
    try:
        return ours.accept(PublicKey.model_validate(read_json(value)))
    except (ValidationError, ValueError):
        return False
