"""Events applied again, many in one transaction; what the database knows already is passed over."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.events import (
    AnyEvent,
    PasswordChanged,
    SessionEnded,
    SessionRefreshed,
    UserCreated,
    UserErased,
)
from authbus_service.auth import handlers, remaking, repository
from authbus_service.auth.outcome import NOTHING, Private, stored
from authbus_service.auth.proof import Policy, Proof
from authbus_service.auth.request import Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.users import repository as users
from authbus_service.auth.users import service as user_rules
from authbus_service.auth.users.user import ErasedUser
from authbus_service.consumers.arrival import Arrival
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.inbox import partitions
from authbus_service.inbox import repository as inbox
from authbus_service.recovery import losing
from authbus_service.recovery.answers import Done, answer
from authbus_service.recovery.commands import Commands
from authbus_service.recovery.events import Survey, Told
from authbus_service.recovery.losing import Losses
from authbus_service.recovery.ordering import Caused
from authbus_service.recovery.report import Report

_SETS = (UserCreated, PasswordChanged)
_OF_SESSION = (SessionEnded, SessionRefreshed)

Found = Mapping[UUID, tuple[Request, Arrival]]


@dataclass(slots=True)
class Applying:
    """Applies batches of events in their order. `hashes` hashes the passwords that are set."""

    database: Database
    commands: Commands
    hashes: HashPool
    survey: Survey
    report: Report
    losses: Losses
    policy: Policy
    dry_run: bool = False
    restore_point: datetime | None = None
    resumed: bool = False
    oldest: datetime = field(default_factory=lambda: partitions.oldest(clock.now()))

    async def batch(self, told: Sequence[Caused]) -> None:
        """Apply those of these events that the database does not know, and commit once."""
        fresh = await self._fresh(told)
        await self.commands.find(self._asked_for(told, fresh))
        self._note_again(each for of in told for each in of if each.id not in fresh)
        if not fresh:
            return
        new = [each for each in told if any(one.id in fresh for one in each)]
        found = await self._found(new)
        if self.dry_run:
            self._foretell([each for of in new for each in of if each.id in fresh], found)
            return
        passwords = await self._hashed(new, found)
        async with self.database.transaction() as db:
            rows = await self._rows(db, [each for of in new for each in of])
            handled = [
                row
                for each in new
                if (row := self._command(each, fresh, found, passwords, rows)) is not None
            ]
            rows.users.leave_addresses()
            await inbox.put(db, handled)
            await repository.flush(db, rows)

    def _asked_for(self, told: Iterable[Caused], fresh: Collection[UUID]) -> list[UUID]:
        """The commands of fresh events, and of those that a recovery which was killed applied."""
        return [
            of[0].cause
            for of in told
            if any(each.id in fresh for each in of) or (self.resumed and self._is_after(of[0]))
        ]

    def _foretell(self, told: Sequence[Told], found: Found) -> None:
        """Count what would be done; what was known from the batches before is counted again."""
        for each in told:
            if remaking.needs_command(each.event) and each.event.causation_id not in found:
                self.losses.note(each.event)
            else:
                self._count(each.event)

    def _note_again(self, told: Iterable[Told]) -> None:
        """A recovery that was killed has applied these: what it lost is reported now."""
        for each in told:
            event = each.event
            if event.user_id in self.survey.erased or not self._is_after(each):
                continue
            if remaking.needs_command(event) and event.causation_id not in self.commands.by_id:
                self.losses.note(event)
            else:
                self.losses.settle(event)

    def _is_after(self, told: Told) -> bool:
        return self.restore_point is None or told.at > self.restore_point

    def _count(self, event: AnyEvent) -> None:
        self.losses.settle(event)
        self.report.events_applied[type(event).__name__] += 1

    async def _fresh(self, told: Iterable[Caused]) -> set[UUID]:
        """The ids of the events that the database does not know."""
        every = [each for of in told for each in of]
        async with self.database.reading() as db:
            known = await users.sequences(db, {each.event.user_id for each in every})
        return {each.id for each in every if self._is_fresh(each, known)}

    def _is_fresh(self, told: Told, known: Mapping[UUID, int]) -> bool:
        """Of a user who was erased, the erasure alone counts."""
        event = told.event
        if event.user_id in self.survey.erased:
            return isinstance(event, UserErased) and event.sequence > known.get(event.user_id, 0)
        return event.sequence > known.get(event.user_id, 0)

    async def _found(self, told: Iterable[Caused]) -> dict[UUID, tuple[Request, Arrival]]:
        wanted = {of[0].cause: of[0].id for of in told}
        found = self._made(wanted)
        forged = wanted.keys() & self.commands.by_id.keys() - found.keys()
        if forged:
            await self.commands.read_past(forged)
            found |= self._made({each: wanted[each] for each in forged})
        self.report.commands_opened += len(found)
        return found

    def _made(self, wanted: Mapping[UUID, UUID]) -> dict[UUID, tuple[Request, Arrival]]:
        """The commands (id -> their first event's id) that are known so far."""
        made = {cause: self.commands.that_made(id_, cause) for cause, id_ in wanted.items()}
        return {cause: each for cause, each in made.items() if each is not None}

    async def _hashed(self, told: Iterable[Caused], found: Found) -> dict[UUID, str]:
        """The hashes of the passwords that these commands set, all cores at work."""
        sets = {each.cause for of in told for each in of if isinstance(each.event, _SETS)}
        requests = {cause: found[cause][0] for cause in sets & found.keys()}
        wanted = {
            cause: (password, request.derived.salt)
            for cause, request in requests.items()
            if (password := remaking.new_password(request)) is not None
        }
        self.report.passwords_hashed += len(wanted)
        hashed = await asyncio.gather(*(self.hashes.hash(*each) for each in wanted.values()))
        return dict(zip(wanted, hashed, strict=True))

    async def _rows(self, db: AsyncConnection, told: Sequence[Told]) -> Rows:
        proofs = [_proof(each) for each in told]
        rows, _ = await repository.lock(db, proofs, wait=True)
        await repository.load_sessions(db, proofs, rows)
        await repository.load_codes(db, proofs, rows)
        await repository.load_factors(db, proofs, rows)
        return rows

    def _command(
        self,
        told: Sequence[Told],
        fresh: Collection[UUID],
        found: Found,
        passwords: Mapping[UUID, str],
        rows: Rows,
    ) -> inbox.Handled | None:
        """Apply one command's events; returns its row of the inbox, if it is to have one."""
        cause = told[0].event.causation_id
        for each in told:
            if each.id in fresh:
                self._apply(each, found, passwords, rows)
        if cause not in found:
            return None
        request, came = found[cause]
        issued = id_time(request.id)
        if issued is None or issued < self.oldest:
            return None
        done = Done(request.command, [each.event for each in told], told[0].at, rows, self.policy)
        return inbox.Handled(
            time=issued,
            id=request.id,
            digest=came.digest,
            content=request.derived.content,
            master=request.derived.master,
            expires_at=request.expires_at,
            handled_at=done.at,
            outcome=stored(answer(done)),
        )

    def _apply(self, told: Told, found: Found, passwords: Mapping[UUID, str], rows: Rows) -> None:
        event = told.event
        if isinstance(event, UserErased):
            self._erase(event, told, rows)
            return
        if isinstance(event, _OF_SESSION) and rows.session(event.session_id) is None:
            user_rules.follows(event, rows.users)
            return
        private = self._private(told, found, passwords, rows)
        if private is None:
            losing.apply_void(event, rows, told.at)
            self.losses.note(event)
        else:
            handlers.apply(event, private, rows, told.at)
            self._count(event)

    def _private(
        self, told: Told, found: Found, passwords: Mapping[UUID, str], rows: Rows
    ) -> Private | None:
        """What `apply` needs beside the event; None: it is lost."""
        event, cause = told.event, told.event.causation_id
        if not remaking.needs_command(event) and cause not in found:
            return NOTHING
        if cause not in found or not losing.has_factor(event, rows):
            return None
        because = remaking.Cause(found[cause][0], rows, told.at, passwords.get(cause, ""))
        private = remaking.remade(event, because)
        return losing.on_known_codes(event, private, rows)

    def _erase(self, event: UserErased, told: Told, rows: Rows) -> None:
        """What happened to the user before does not matter; the id stays, also of one unknown."""
        self.report.users_erased += 1
        user = rows.user(event.user_id)
        if user is None:
            rows.users.gone[event.user_id] = ErasedUser(event.user_id, event.sequence, told.at)
            return
        user.sequence = event.sequence - 1
        handlers.apply(event, NOTHING, rows, told.at)


def _proof(told: Told) -> Proof:
    event = told.event
    session_id = getattr(event, "session_id", None)
    return Proof(user_id=event.user_id, session_id=session_id, every_code=True, factor=True)
