"""The users of a group, in memory: locked, changed, written back once."""

from dataclasses import dataclass, field
from uuid import UUID

from authbus_service.auth.users.user import ErasedUser, User


@dataclass(slots=True)
class Users:
    """Users, mostly under their locks, and the owners of the addresses that were claimed."""

    by_id: dict[UUID, User] = field(default_factory=dict[UUID, User])
    owners: dict[str, UUID] = field(default_factory=dict[str, UUID])
    gone: dict[UUID, ErasedUser] = field(default_factory=dict[UUID, ErasedUser])
    _new: set[UUID] = field(default_factory=set[UUID])
    _changed: set[UUID] = field(default_factory=set[UUID])
    _taken: set[str] = field(default_factory=set[str], repr=False)
    _left: set[str] = field(default_factory=set[str], repr=False)
    _profiles: set[UUID] = field(default_factory=set[UUID])

    def add(self, user: User) -> None:
        """A user that this group makes."""
        self.by_id[user.id] = user
        self._new.add(user.id)

    def touch(self, user_id: UUID) -> User:
        """The user, to be written back."""
        if user_id not in self._new:
            self._changed.add(user_id)
        return self.by_id[user_id]

    def touch_profile(self, user_id: UUID) -> User:
        """The user, whose profile is to be written back too."""
        self._profiles.add(user_id)
        return self.touch(user_id)

    def erase(self, user: ErasedUser) -> None:
        """The user is gone: nothing of it is written back."""
        self.gone[user.id] = user
        del self.by_id[user.id]
        self._new.discard(user.id)
        self._changed.discard(user.id)
        self._profiles.discard(user.id)

    @property
    def new(self) -> list[User]:
        """Users to insert, by id."""
        return [self.by_id[each] for each in sorted(self._new)]

    @property
    def changed(self) -> list[User]:
        """Users to update, by id."""
        return [self.by_id[each] for each in sorted(self._changed)]

    def take(self, canonical: str) -> None:
        """An address that was claimed is its user's now."""
        self._taken.add(canonical)

    def leave(self, canonical: str) -> None:
        """An address that its user gives up."""
        self._left.add(canonical)

    def leave_addresses(self) -> None:
        """Neither claim nor let go of any: who applies old events settles them at the end."""
        self._taken.clear()
        self._left.clear()
        self.owners.clear()

    @property
    def free(self) -> list[str]:
        """Addresses to let go of: claimed and not taken, or left."""
        return sorted((self.owners.keys() - self._taken) | self._left)

    @property
    def profiles(self) -> list[User]:
        """Users whose profiles are to be updated, by id: wide, so not written with each log-in."""
        return [self.by_id[each] for each in sorted(self._profiles - self._new)]
