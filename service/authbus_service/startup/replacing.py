"""The current master key takes the place of those behind it, while the service runs.

Every step is a transaction of its own and looks at what is there: killed in between, it is run
again, and does what is left.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from authbus_service.auth.rewrapping import FIRST, rewrap
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.progress import Tell
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import USES, Key, Use
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.rotation import RotationError
from authbus_service.inbox import writing
from authbus_service.startup import keys
from authbus_service.startup.under_masters import Lying, all_lying, require_masters

_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Replacement:
    """Of every other master by the current one. `tell` hears how far it is.

    `unreadable` are users whose second factor no master opens: it was altered.
    """

    database: Database
    masters: Masters
    tell: Tell
    unreadable: set[UUID] = field(default_factory=set[UUID])

    @property
    def trust(self) -> str:
        """The thumbprint that clients must pin before keys of the current master are announced."""
        return self.masters.root_thumbprint()

    async def look(self) -> list[Lying]:
        """What lies under which master now."""
        async with self.database.reading() as db:
            return await all_lying(db)

    async def run(self, lead: timedelta, trusted: str | None) -> list[Lying]:
        """Replace, wrap again and destroy what can be; returns what lies where then.

        Raises MasterKeyError when a master is missing; RotationError when `trusted` is not the
        thumbprint of the new root and no key of it is in use; RecoveryRunsError.
        """
        await require_masters(self.database, self.masters)
        known = await self._keys()
        keys.require_trusted(known, self.masters, trusted)
        if uses := self._to_replace(known):
            await keys.rotate(self.database, self.masters, uses, lead, trusted)
        await self._wrap_again()
        await self._destroy()
        return await self.look()

    async def _keys(self) -> list[Key]:
        async with self.database.reading() as db:
            return await repository.keys(db)

    def _to_replace(self, found: list[Key]) -> list[Use]:
        """Uses whose newest key is of another master; not while a new key is still ahead."""
        now = clock.now()
        old = {
            key.use
            for key in found
            if key.master != self.masters.current and key.retired_at is None
        }
        ahead = {key.use for key in found if key.state(now) == "next"}
        return [use for use in USES if use in old - ahead]

    async def _wrap_again(self) -> None:
        """Users whose rows are locked are passed over, and asked for again a few times."""
        total, done = await self._wrapped_elsewhere(), 0
        for _ in range(_ROUNDS):
            busy = 0
            last: UUID | None = FIRST
            while last is not None:
                async with self.database.transaction() as db:
                    await writing.begin(db)
                    batch = await rewrap(db, self.masters, last)
                self.unreadable.update(batch.unreadable)
                done, busy, last = done + batch.done, busy + batch.busy, batch.last
                self.tell("second factors", done, max(total, done))
            if not busy:
                return

    async def _wrapped_elsewhere(self) -> int:
        return sum(
            each.count
            for each in await self.look()
            if each.what == "second factors" and each.master != self.masters.current
        )

    async def _destroy(self) -> None:
        """Old keys that nothing can need any more."""
        now = clock.now()
        for key in await self._keys():
            until = key.needed_until
            if key.master != self.masters.current and until is not None and until < now:
                with suppress(RotationError):  # by the database's clock, or another was first
                    await keys.destroy(self.database, key.kid)
