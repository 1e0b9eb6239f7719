"""The codes of a group, in memory: they stand under their users' locks."""

from dataclasses import dataclass, field
from uuid import UUID

from authbus_service.auth.codes.code import OneTimeCode


@dataclass(slots=True)
class Codes:
    """Codes that were loaded or made, by hash."""

    known: dict[bytes, OneTimeCode] = field(default_factory=dict[bytes, OneTimeCode], repr=False)
    _new: set[bytes] = field(default_factory=set[bytes], repr=False)
    _changed: set[bytes] = field(default_factory=set[bytes], repr=False)

    def add(self, code: OneTimeCode) -> None:
        """A code that this group makes."""
        self.known[code.hash] = code
        self._new.add(code.hash)

    def touch(self, code: OneTimeCode) -> OneTimeCode:
        """The code, to be written back."""
        if code.hash not in self._new:
            self._changed.add(code.hash)
        return code

    def forget(self, user_id: UUID) -> None:
        """The user is gone: nothing of theirs is written back."""
        self.known = {at: each for at, each in self.known.items() if each.user_id != user_id}
        self._new &= self.known.keys()
        self._changed &= self.known.keys()

    @property
    def new(self) -> list[OneTimeCode]:
        """Codes to insert, by hash."""
        return [self.known[each] for each in sorted(self._new)]

    @property
    def changed(self) -> list[OneTimeCode]:
        """Codes to update, by hash."""
        return [self.known[each] for each in sorted(self._changed)]
