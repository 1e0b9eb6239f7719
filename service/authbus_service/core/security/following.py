"""The key ring of a running process follows the table of keys."""

import asyncio
from time import monotonic

from authbus_service.core.database import Database, name_of
from authbus_service.core.logging import get_logger
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import MasterKeyError

# A new key is announced so many looks before it serves, at least.
LEAST_LOOKS = 2
_PATIENCE = 5.0
_SOON = 1.0

_log = get_logger(__name__)


class KeysBehindError(RuntimeError):
    """There are keys of a master that this process does not have: what they seal must wait."""


class KeyFollower:
    """Reads the keys anew every so many `seconds`, so that each is known before it serves.

    A table without keys is none that an installation has: then the ring stays as it is.
    """

    def __init__(self, database: Database, ring: KeyRing, seconds: float) -> None:
        """Nothing is read yet."""
        self._database = database
        self._ring = ring
        self._seconds = seconds
        self._looked_at = monotonic()
        self._reading = asyncio.Lock()
        self._begun = 0
        self._last_good = 0

    async def run(self) -> None:
        """Read until cancelled. What fails is logged and tried again soon; the old keys stay."""
        wait = self._seconds
        while True:
            await asyncio.sleep(wait)
            wait = self._seconds
            try:
                await self.look()
            except KeysBehindError as error:
                _log.error("new keys cannot be used", why=str(error))
            except Exception as error:  # noqa: BLE001 - no failure may end who still has good keys
                _log.warning("the keys are not read", error=name_of(error))
                wait = min(_SOON, self._seconds)

    async def keep_fresh(self) -> None:
        """Look first when the last good look is older than any new key's lead can be short.

        Else a process that was cut off for long, or lacks the master of a new key, would go on
        signing under a key that has retired.
        Raises what `look` raises.
        """
        if monotonic() - self._looked_at > LEAST_LOOKS * self._seconds:
            await self.look()

    async def look(self) -> None:
        """Read the keys now; who asks meanwhile shares the next read.

        Raises KeysBehindError, SQLAlchemyError, OSError or TimeoutError; the old keys stay then.
        """
        asked = self._begun
        async with self._reading:
            if self._last_good > asked:
                return
            self._begun += 1
            async with asyncio.timeout(_PATIENCE), self._database.reading() as db:
                found = await repository.keys(db)
            if found:
                self._load(found)
            self._looked_at = monotonic()
            self._last_good = self._begun

    def _load(self, found: list[Key]) -> None:
        try:
            self._ring.load(found)
        except MasterKeyError as error:
            raise KeysBehindError(str(error)) from None
