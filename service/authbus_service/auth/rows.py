"""The rows a group works on: loaded under locks, read by `decide`, changed by `apply`, flushed once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User


class Readable(Protocol):
    """What `decide` may see."""

    def user(self, user_id: UUID | None) -> User | None: ...
    def session(self, session_id: UUID) -> Session | None: ...
    def may_have(self, canonical: str, user_id: UUID) -> bool: ...


@dataclass(slots=True)
class Rows:
    """Users that are locked, their sessions, and the owners of the addresses that were claimed."""

    users: dict[UUID, User] = field(default_factory=dict[UUID, User])
    sessions: dict[UUID, Session] = field(default_factory=dict[UUID, Session])
    owners: dict[str, UUID] = field(default_factory=dict[str, UUID])
    new_users: set[UUID] = field(default_factory=set[UUID])
    changed_users: set[UUID] = field(default_factory=set[UUID])
    new_sessions: set[UUID] = field(default_factory=set[UUID])
    changed_sessions: set[UUID] = field(default_factory=set[UUID])

    def user(self, user_id: UUID | None) -> User | None:
        """The locked user, or None when there is none."""
        return None if user_id is None else self.users.get(user_id)

    def session(self, session_id: UUID) -> Session | None:
        """The session of a locked user, or None."""
        return self.sessions.get(session_id)

    def may_have(self, canonical: str, user_id: UUID) -> bool:
        """Whether this user's claim of the address held: nobody else has it."""
        return self.owners.get(canonical) == user_id

    def add_user(self, user: User) -> None:
        """A user that this group makes."""
        self.users[user.id] = user
        self.new_users.add(user.id)

    def add_session(self, session: Session) -> None:
        """A session that this group starts."""
        self.sessions[session.id] = session
        self.new_sessions.add(session.id)

    def touch_user(self, user_id: UUID) -> User:
        """The user, to be written back."""
        if user_id not in self.new_users:
            self.changed_users.add(user_id)
        return self.users[user_id]

    def touch_session(self, session_id: UUID) -> Session:
        """The session, to be written back."""
        if session_id not in self.new_sessions:
            self.changed_sessions.add(session_id)
        return self.sessions[session_id]

    def picked(self, ids: Iterable[UUID]) -> list[User]:
        """These users, sorted by id."""
        return [self.users[user_id] for user_id in sorted(ids)]
