"""The second factors of a group, in memory: they stand under their users' locks."""

from dataclasses import dataclass, field
from uuid import UUID

from authbus_service.auth.factors.factor import Factor


@dataclass(slots=True)
class Factors:
    """Factors that were loaded or made, by user."""

    known: dict[UUID, Factor] = field(default_factory=dict[UUID, Factor])
    _changed: set[UUID] = field(default_factory=set[UUID])
    _dropped: set[UUID] = field(default_factory=set[UUID])

    def put(self, factor: Factor) -> None:
        """A factor in the place of whatever the user had."""
        self.known[factor.user_id] = factor
        self._changed.add(factor.user_id)
        self._dropped.discard(factor.user_id)

    def touch(self, user_id: UUID) -> Factor:
        """The user's factor, to be written back."""
        self._changed.add(user_id)
        return self.known[user_id]

    def drop(self, user_id: UUID) -> None:
        """The user has none any more."""
        self.forget(user_id)
        self._dropped.add(user_id)

    def forget(self, user_id: UUID) -> None:
        """The user is gone: nothing of theirs is written back."""
        self.known.pop(user_id, None)
        self._changed.discard(user_id)
        self._dropped.discard(user_id)

    @property
    def changed(self) -> list[Factor]:
        """Factors to write, by user."""
        return [self.known[each] for each in sorted(self._changed)]

    @property
    def dropped(self) -> list[UUID]:
        """Users whose factor is to be deleted."""
        return sorted(self._dropped)
