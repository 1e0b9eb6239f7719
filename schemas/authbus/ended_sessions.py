"""Ended sessions of one token lifetime, and whether the feed of them can be relied on."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authbus.following import Record
from authbus.state import FeedAlive, SessionRevoked
from authbus.strict_json import read_json

# No access token lives longer: the service's settings and the topic's retention see to that.
TOKEN_LIFETIME = timedelta(minutes=10)
HEARTBEAT_KEY = b"alive"

_KEPT = 2 * TOKEN_LIFETIME
_NEVER = datetime.min.replace(tzinfo=UTC)


class EndedSessions:
    """Follows auth.sessions.ended.v1; forgets a session when no token of it can be alive."""

    def __init__(self) -> None:
        self._ended: dict[UUID, datetime] = {}
        self._through: dict[int, datetime] = {}

    def expect(self, partitions: Iterable[int]) -> None:
        """Of these partitions a sign of life is wanted; one that came later is as old as the rest.

        It is read from its first record, so that it lacks no more than they do.
        """
        so_far = min(self._through.values(), default=_NEVER)
        for partition in partitions:
            self._through.setdefault(partition, so_far)

    def read(self, record: Record) -> None:
        """Take one record of the topic."""
        if record.value is None:
            return
        found = read_json(record.value)
        if record.key == HEARTBEAT_KEY:
            through = FeedAlive.model_validate(found).published_through
            known = self._through.get(record.partition, _NEVER)
            self._through[record.partition] = max(known, through)
        else:
            revoked = SessionRevoked.model_validate(found)
            self.note(revoked.session_id, revoked.ended_at, _said_at(record))

    def note(self, session_id: UUID, ended_at: datetime, said_at: datetime = _NEVER) -> None:
        """Remember that a session ended; an end that is said late is kept for as long from then on.

        What is old enough to be forgotten is judged by the ends alone: a clock that was wrong when
        one of them was said makes nobody forget the others.
        """
        self._ended[session_id] = max(ended_at, said_at)
        while ended_at - self._ended[oldest := next(iter(self._ended))] > _KEPT:
            del self._ended[oldest]

    def __contains__(self, session_id: UUID) -> bool:
        return session_id in self._ended

    def age(self, now: datetime) -> timedelta:
        """How far behind the feed is, at worst. Without partitions or signs of life: very far."""
        return now - min(self._through.values(), default=_NEVER)


def _said_at(record: Record) -> datetime:
    try:
        return datetime.fromtimestamp(record.timestamp / 1000, UTC)
    except (OverflowError, ValueError, OSError):  # a time that no calendar has
        return _NEVER
