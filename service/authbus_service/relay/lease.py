"""One relay at a time: a row that its holder renews, by the database's clock.

The lease keeps two relays from fencing each other for ever. That nothing is said twice does not
rest on it: Kafka's fence and the manifest see to that.
"""

import asyncio
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, exists, func, or_, text, update
from sqlalchemy.dialects.postgresql import insert

from authbus_service.core.database import DATABASE_AWAY, Database
from authbus_service.relay.errors import LeaseLostError
from authbus_service.relay.models import RelayLease

# So short that a standby leads before a verifier calls the feed of ended sessions stale (5 s).
LEASE_SECONDS = 2.0
_RENEWALS = 5  # tries within one lease
_NOW = func.clock_timestamp()
_AGE = func.make_interval(0, 0, 0, 0, 0, 0, bindparam("seconds"))
_NEW = insert(RelayLease).values(only=1, holder=bindparam("me"), number=1, renewed_at=_NOW)
_TAKE = _NEW.on_conflict_do_update(
    index_elements=[RelayLease.only],
    set_={
        "holder": _NEW.excluded.holder,
        "number": RelayLease.number + 1,
        "renewed_at": _NOW,
    },
    where=or_(
        RelayLease.renewed_at < _NOW - _AGE,
        # The clock stood ahead of this one, a restart or a fail-over ago: no age can be told.
        RelayLease.renewed_at > _NOW,
        RelayLease.holder == _NEW.excluded.holder,
    ),
).returning(RelayLease.number)
_MINE = RelayLease.number == bindparam("mine")
_RENEW = update(RelayLease).where(_MINE).values(renewed_at=_NOW)
_RELEASE = update(RelayLease).where(_MINE).values(renewed_at=text("'-infinity'"))


class Lease:
    """The right to lead; `number` grows each time that anybody takes it, its holder too."""

    def __init__(self, database: Database, *, holder: UUID, seconds: float) -> None:
        """A lease that nobody has asked for yet; others may take it when it is `seconds` old."""
        self.number = 0
        self._database = database
        self._holder = holder
        self._seconds = seconds
        self._until = 0.0

    async def take(self) -> None:
        """Wait until the lease is ours."""
        while not await self._take_now():  # noqa: ASYNC110 - a row wakes nobody
            await asyncio.sleep(self._seconds / _RENEWALS)

    async def renew(self) -> None:
        """Make it young again. Raises LeaseLostError when somebody else has taken it."""
        asked_at = asyncio.get_running_loop().time()
        async with asyncio.timeout_at(self._until), self._database.transaction() as db:
            renewed = (await db.execute(_RENEW, {"mine": self.number})).rowcount
        if not renewed:
            raise LeaseLostError("another relay has taken the lease")
        self._until = asked_at + self._seconds

    async def keep(self) -> None:
        """Renew it for ever. Raises LeaseLostError when it is taken, or not renewed in time."""
        loop = asyncio.get_running_loop()
        while loop.time() < self._until:
            await asyncio.sleep(self._seconds / _RENEWALS)
            try:
                await self.renew()
            except DATABASE_AWAY:
                continue  # there is time to try again, or the loop ends
        raise LeaseLostError("the lease could not be renewed in time")

    async def release(self) -> None:
        """Let a standby take it at once."""
        number, self.number = self.number, 0
        async with asyncio.timeout(self._seconds), self._database.transaction() as db:
            await db.execute(_RELEASE, {"mine": number})

    def held(self) -> ColumnElement[bool]:
        """The condition, for a statement's WHERE, that nobody has taken it since."""
        return exists().where(RelayLease.number == self.number)

    async def _take_now(self) -> bool:
        asked_at = asyncio.get_running_loop().time()
        asked = {"me": self._holder, "seconds": self._seconds}
        async with asyncio.timeout(self._seconds), self._database.transaction() as db:
            number = await db.scalar(_TAKE, asked)
        if number is None:
            return False
        self.number, self._until = number, asked_at + self._seconds
        return True
