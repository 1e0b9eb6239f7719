"""The sessions of a group, in memory: they stand under their users' locks."""

from dataclasses import dataclass, field
from uuid import UUID

from authbus_service.auth.sessions.session import Session


@dataclass(slots=True)
class Sessions:
    """Sessions that were loaded or started."""

    known: dict[UUID, Session] = field(default_factory=dict[UUID, Session])
    _new: set[UUID] = field(default_factory=set[UUID])
    _changed: set[UUID] = field(default_factory=set[UUID])

    def add(self, session: Session) -> None:
        """A session that this group starts."""
        self.known[session.id] = session
        self._new.add(session.id)

    def touch(self, session_id: UUID) -> Session:
        """The session, to be written back."""
        if session_id not in self._new:
            self._changed.add(session_id)
        return self.known[session_id]

    def forget(self, user_id: UUID) -> None:
        """The user is gone: nothing of theirs is written back."""
        self.known = {at: each for at, each in self.known.items() if each.user_id != user_id}
        self._new &= self.known.keys()
        self._changed &= self.known.keys()

    @property
    def new(self) -> list[Session]:
        """Sessions to insert, by id."""
        return [self.known[each] for each in sorted(self._new)]

    @property
    def changed(self) -> list[Session]:
        """Sessions to update, by id."""
        return [self.known[each] for each in sorted(self._changed)]
