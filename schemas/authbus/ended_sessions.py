"""Ended sessions of one token lifetime, and whether the feed of them can be relied on."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authbus.kafka.following import Record
from authbus.state import FeedAlive, SessionRevoked
from authbus.strict_json import read_json

# No access token lives longer: the service's settings and the topic's retention see to that.
TOKEN_LIFETIME = timedelta(minutes=10)
HEARTBEAT_KEY = b"alive"

_KEPT_SECONDS = (2 * TOKEN_LIFETIME).total_seconds()
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Life:
    """A partition's signs of life: how far they reached, what the last one said, when it came."""

    through: datetime
    said: datetime
    heard: float

    def age(self, now: datetime, clock: float) -> timedelta:
        # What was once known stays known, unless a clock was wrong: then the last one counts.
        through = self.through if self.through <= now else self.said
        return max(now - through, timedelta(seconds=clock - self.heard))


class EndedSessions:
    """Follows auth.sessions.ended.v1; forgets a session when no token of it can be alive."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts this host's seconds, whatever the time of day is said to be."""
        self._ended: dict[UUID, float] = {}
        self._lives: dict[int, _Life] = {}
        self._clock = clock
        self._since, self._began = _NEVER, clock()

    def begins(self, since: datetime) -> None:
        """It is read from this time on, by this host's clock as it is now."""
        self._since, self._began = since, self._clock()

    def known_since(self, now: datetime) -> datetime:
        """All that ended after this time has been read.

        A clock that was ahead at the start had the time before passed over: once it is right, it
        counts back to the start, and after one token lifetime all is known that any token needs.
        """
        return min(self._since, now - timedelta(seconds=self._clock() - self._began))

    def expect(self, partitions: Iterable[int]) -> None:
        """Of these partitions a sign of life is wanted; one that came later is as old as the rest.

        It is read from its first record, so that it lacks no more than they do.
        """
        lives = self._lives.values()
        through = min((each.through for each in lives), default=_NEVER)
        said = min((each.said for each in lives), default=_NEVER)
        heard = min((each.heard for each in lives), default=self._clock())
        for partition in partitions:
            self._lives.setdefault(partition, _Life(through, said, heard))

    def read(self, record: Record) -> None:
        """Take one record of the topic."""
        if record.value is None:
            return
        found = read_json(record.value)
        if record.key == HEARTBEAT_KEY:
            said = FeedAlive.model_validate(found).published_through
            known = self._lives.get(record.partition)
            through = said if known is None else max(known.through, said)
            self._lives[record.partition] = _Life(through, said, self._clock())
        else:
            self.note(SessionRevoked.model_validate(found).session_id)

    def note(self, session_id: UUID) -> None:
        """Remember that a session ended, for so long after this was heard.

        Whatever hosts say of the time, no token of it is older then, and none is kept for ever.
        """
        now = self._clock()
        self._ended.pop(session_id, None)
        self._ended[session_id] = now
        while now - self._ended[oldest := next(iter(self._ended))] > _KEPT_SECONDS:
            del self._ended[oldest]

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._ended

    def age(self, now: datetime) -> timedelta:
        """How far behind the feed is, at worst. Without partitions or signs of life: very far.

        It is no younger than it is silent: what is said there of the time is another host's clock.
        """
        clock = self._clock()
        ages = (each.age(now, clock) for each in self._lives.values())
        return max(ages, default=now - _NEVER)
