"""What a batch of events needs before it is applied: its commands, found and opened, and hashes."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authbus.events import PasswordChanged, UserCreated, UserErased
from authbus_service.auth.private_parts import needs_command, new_password
from authbus_service.auth.request import Request
from authbus_service.auth.users import repository as users
from authbus_service.consumers.arrival import Arrival
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.recovery.commands import Commands
from authbus_service.recovery.events import SaidEvent, Survey
from authbus_service.recovery.losing import Losses
from authbus_service.recovery.ordering import Caused
from authbus_service.recovery.report import Report

_SETS = (UserCreated, PasswordChanged)

Found = Mapping[UUID, tuple[Request, Arrival]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands of which the database does not know each event, in order.

    `fresh` are the ids of the events that it does not know, `found` the commands that are still
    there, and `passwords` the hashes of those that they set.
    """

    told: Sequence[Caused]
    fresh: Collection[UUID]
    found: Found
    passwords: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class Preparing:
    """Reads, opens and hashes; writes nothing. `hashes` hashes the passwords that are set."""

    database: Database
    commands: Commands
    hashes: HashPool
    survey: Survey
    report: Report
    losses: Losses
    dry_run: bool
    restore_point: datetime | None
    resumed: bool

    async def batch(self, told: Sequence[Caused]) -> Batch | None:
        """What is to be applied of these events, or None: nothing, or this is a dry run.

        The batch before may not be committed yet: an event of this one is as unknown without it.
        """
        fresh = await self._fresh(told)
        await self.commands.find(self._asked_for(told, fresh))
        for each in [of[0] for of in told if self.survey.is_of_last(of[0])]:
            self.survey.note_commands(self.commands.by_id.get(each.cause, ()))
        if self.resumed:
            await self._note_again(each for of in told for each in of if each.id not in fresh)
        if not fresh:
            return None
        new = [each for each in told if any(one.id in fresh for one in each)]
        found = await self._found(new)
        if self.dry_run:
            self._foretell([each for of in new for each in of if each.id in fresh], found)
            return None
        return Batch(new, fresh, found, await self._hashed(new, found))

    def _asked_for(self, told: Iterable[Caused], fresh: Collection[UUID]) -> list[UUID]:
        """The commands of fresh events, of the last ones, and, resumed, of those applied before."""
        return [
            of[0].cause
            for of in told
            if any(each.id in fresh for each in of)
            or (self.resumed and self._is_after(of[0]))
            or self.survey.is_of_last(of[0])
        ]

    def _foretell(self, told: Sequence[SaidEvent], found: Found) -> None:
        """Count what would be done; what was known from the batches before is counted again."""
        for each in told:
            if needs_command(each.event) and each.event.causation_id not in found:
                self.losses.note(each.event)
            else:
                self.losses.applied(each.event)

    async def _note_again(self, told: Iterable[SaidEvent]) -> None:
        """A recovery that was killed has applied these: what it lost is reported now."""
        for each in told:
            event = each.event
            if event.user_id in self.survey.erased or not self._is_after(each):
                continue
            if needs_command(event) and not await self._is_there(event.causation_id):
                self.losses.note(event)
            else:
                self.losses.settle(event)

    async def _is_there(self, cause: UUID) -> bool:
        """Whether this command is on its topic, also where it came long before its event."""
        by_id = self.commands.by_id
        if not by_id.get(cause):
            await self.commands.look_back(cause)
        return bool(by_id.get(cause))

    def _is_after(self, told: SaidEvent) -> bool:
        return self.restore_point is None or told.at > self.restore_point

    async def _fresh(self, told: Iterable[Caused]) -> set[UUID]:
        """The ids of the events that the database does not know."""
        every = [each for of in told for each in of]
        async with self.database.reading() as db:
            known = await users.sequences(db, {each.event.user_id for each in every})
        return {each.id for each in every if self._is_fresh(each, known)}

    def _is_fresh(self, told: SaidEvent, known: Mapping[UUID, int]) -> bool:
        """Of a user who was erased, the erasure alone counts."""
        event = told.event
        if event.user_id in self.survey.erased:
            return isinstance(event, UserErased) and event.sequence > known.get(event.user_id, 0)
        return event.sequence > known.get(event.user_id, 0)

    async def _found(self, told: Iterable[Caused]) -> dict[UUID, tuple[Request, Arrival]]:
        wanted = {of[0].cause: of[0].id for of in told}
        found = await self.commands.that_made(wanted)
        forged = wanted.keys() & self.commands.by_id.keys() - found.keys()
        if forged:
            await self.commands.read_past(forged)
            found |= await self.commands.that_made({each: wanted[each] for each in forged})
        gone = [of[0] for of in told if of[0].cause not in found]
        for each in [one for one in gone if needs_command(one.event)]:
            if await self.commands.look_back(each.cause):
                found |= await self.commands.that_made({each.cause: each.id})
        self.report.commands_opened += len(found)
        return found

    async def _hashed(self, told: Iterable[Caused], found: Found) -> dict[UUID, str]:
        """The hashes of the passwords that these commands set, all cores at work."""
        sets = {each.cause for of in told for each in of if isinstance(each.event, _SETS)}
        requests = {cause: found[cause][0] for cause in sets & found.keys()}
        wanted = {
            cause: (password, request.derived.salt)
            for cause, request in requests.items()
            if (password := new_password(request)) is not None
        }
        self.report.passwords_hashed += len(wanted)
        hashed = await asyncio.gather(*(self.hashes.hash(*each) for each in wanted.values()))
        return dict(zip(wanted, hashed, strict=True))
