"""What became of copies of commands: told by the inbox, the fence and the dead letters.

Nothing is guessed. A copy whose id and bytes the inbox knows can have no effect, whenever the
service comes to it. Of every other one is known what became of it once the fence is past it. Of
what could have neither an effect nor an answer no copy is made: it would keep on Kafka for longer
what is to leave it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from pydantic import ValidationError

from authbus.replies import Code
from authbus.state import DeadLetter
from authbus_service.consumers.labels import claimed_id
from authbus_service.consumers.opening import NEAR
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.inbox import fence
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.repository import Noted
from authbus_service.reading.records import Record
from authbus_service.replay.summary import Summary

_LOOK_SECONDS = 0.2
_ID = "ce_id"
Lie = tuple[int, int]


class Asked(NamedTuple):
    """What a record claims to be, taken at that time; `id` None: that cannot be read."""

    id: UUID | None
    digest: bytes
    at: datetime

    @property
    def is_stale(self) -> bool:
        """Whether the service, which has not handled it, would find it too old."""
        issued = None if self.id is None else id_time(self.id)
        return issued is None or abs(self.at - issued) > NEAR


class Knowledge(Enum):
    """What the inbox knows of a record before its copy is sent."""

    OVER = "these very bytes, before the replay, and nobody waits for an answer any more"
    HANDLED = "these very bytes, before the replay: the look-up ends it"
    KNOWN = "its id"
    UNKNOWN = "nothing"


_HANDLED = frozenset({Knowledge.OVER, Knowledge.HANDLED})


def is_vain(of: Asked, seen: Knowledge) -> bool:
    """Whether a copy could have neither an effect nor an answer that somebody waits for.

    All else was issued within the quarter of an hour before.
    """
    return seen is Knowledge.OVER or (seen is not Knowledge.HANDLED and of.is_stale)


def asked(record: Record, at: datetime) -> Asked:
    """A record as the service would take it, were it appended at this time."""
    said = next((value for name, value in record.headers if name == _ID), None) or b""
    id_ = claimed_id(said.decode(errors="replace"))
    return Asked(id_, sha256(record.value or b"").digest(), at)


def asked_now(records: Iterable[Record]) -> list[Asked]:
    """The same for many that are appended now."""
    now = clock.now()
    return [asked(each, now) for each in records]


@dataclass(slots=True)
class Outcomes:
    """Follows the copies of one replay, begun at `since`, on the topic `suffix`."""

    database: Database
    suffix: str
    since: datetime
    summary: Summary
    _open: dict[Lie, tuple[Asked, bool]] = field(default_factory=dict[Lie, tuple[Asked, bool]])

    async def look(self, every: Sequence[Asked]) -> list[Knowledge]:
        """What is known of each of these."""
        seen = [Knowledge.UNKNOWN] * len(every)
        named = [(index, each.id, each) for index, each in enumerate(every) if each.id is not None]
        shown = [inbox.Shown(id_, each.digest) for _, id_, each in named]
        async with self.database.reading() as db:
            handled = await inbox.before(db, shown, self.since)
            over = await inbox.over(db, shown, clock.now()) if handled else set[int]()
            for number in handled:
                is_over = number in over
                seen[named[number][0]] = Knowledge.OVER if is_over else Knowledge.HANDLED
            left = [each for each in named if seen[each[0]] is Knowledge.UNKNOWN]
            known = await inbox.noted(db, {id_ for _, id_, _ in left}) if left else {}
        for index, id_, _ in left:
            if id_ in known:
                seen[index] = Knowledge.KNOWN
        return seen

    def sent(self, of: Asked, seen: Knowledge, lies: Lie, *, before: bool = False) -> None:
        """A copy lies there; `seen` is from before it was sent, unless it was sent `before`."""
        if seen in _HANDLED:
            self.summary.already_handled += 1
        else:
            self._open[lies] = of, seen is Knowledge.KNOWN and not before

    def passed_over(self, seen: Knowledge) -> None:
        """No copy is made of one, for it would be vain."""
        if seen is Knowledge.UNKNOWN:
            self.summary.expired += 1
        else:
            self.summary.already_handled += 1

    @property
    def left(self) -> int:
        """How many nothing is known of so far."""
        return len(self._open)

    async def wait(self, seconds: float) -> None:
        """Until the service is past all of them, or so long does nothing any more."""
        loop = asyncio.get_running_loop()
        until, before = loop.time() + seconds, -1
        while behind := await self._not_past():
            if behind != before:
                until, before = loop.time() + seconds, behind
            if loop.time() >= until:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def settle(self, letters: Sequence[DeadLetter]) -> None:
        """Count what became of those that are left; `letters` are all since the replay began."""
        async with self.database.reading() as db:
            below = await fence.read(db)
            known = await inbox.noted(db, {of.id for of, _ in self._open.values() if of.id})
        dead = _Dead(each for each in letters if each.topic == self.suffix)
        seen = set[UUID | None]()
        for (partition, offset), (of, was_known) in sorted(self._open.items()):
            if (partition, offset) in dead:
                self.summary.dead_again += 1
            elif below.get((self.suffix, partition), 0) <= offset:
                self.summary.waiting += 1
            else:
                noted = known.get(of.id) if of.id is not None else None
                self._count(of, noted, again=was_known or of.id in seen)
                seen.add(of.id)
        self._open.clear()

    def _count(self, of: Asked, noted: Noted | None, *, again: bool) -> None:
        """The service is past this one, and it is no dead letter."""
        summary = self.summary
        if noted is not None and again:
            summary.already_handled += 1
        elif of.is_stale if noted is None else noted.code == Code.EXPIRED:
            summary.expired += 1
        elif noted is None:
            summary.without_effect += 1
        else:
            summary.applied += 1

    async def _not_past(self) -> int:
        async with self.database.reading() as db:
            below = await fence.read(db)
        return sum(
            max(offset + 1 - below.get((self.suffix, partition), 0), 0)
            for partition, offset in self._open
        )


class _Dead:
    """Offsets of which there are dead letters: a stretch as it stands, however long."""

    def __init__(self, letters: Iterable[DeadLetter]) -> None:
        self._single = set[Lie]()
        self._stretches: dict[int, list[range]] = {}
        for each in letters:
            if each.first_offset is None:
                self._single.add((each.partition, each.offset))
            else:
                stretch = range(each.first_offset, each.offset + 1)
                self._stretches.setdefault(each.partition, []).append(stretch)

    def __contains__(self, lie: Lie) -> bool:
        partition, offset = lie
        stretches = self._stretches.get(partition, ())
        return lie in self._single or any(offset in each for each in stretches)


def letter(record: Record) -> DeadLetter | None:
    """The dead letter of a record; None for anything else."""
    try:
        return DeadLetter.model_validate_json(record.value or b"")
    except ValidationError:
        return None
