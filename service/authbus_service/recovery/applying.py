"""Events applied again, many in one transaction; what the database knows already is passed over."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.events import (
    PasswordChanged,
    SessionEnded,
    SessionRefreshed,
    SessionStarted,
    UserCreated,
    UserErased,
)
from authbus_service.auth import handlers, remaking, repository
from authbus_service.auth.outcome import NOTHING, stored
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
from authbus_service.recovery.answers import Done, answer
from authbus_service.recovery.commands import Commands
from authbus_service.recovery.events import Survey, Told
from authbus_service.recovery.report import Report

_SETS = (UserCreated, PasswordChanged)
_GONE = "its command is not on the topics any more"
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
    policy: Policy
    dry_run: bool = False
    oldest: datetime = field(default_factory=lambda: partitions.oldest(clock.now()))
    lost: set[UUID] = field(default_factory=set[UUID])

    async def batch(self, told: Sequence[Told]) -> None:
        """Apply those of these events that the database does not know, and commit once."""
        by_id = await self._fresh(told)
        if not by_id:
            return
        fresh = list(by_id.values())
        found = self._found(fresh)
        if self.dry_run:
            self._foretell(fresh, found)
            return
        passwords = await self._hashed(fresh, found)
        async with self.database.transaction() as db:
            rows = await self._rows(db, fresh)
            handled = [
                row
                for each in _by_command(told)
                if (row := self._command(each, by_id.keys(), found, passwords, rows)) is not None
            ]
            rows.users.leave_addresses()
            await inbox.put(db, handled)
            await repository.flush(db, rows)

    def _foretell(self, told: Sequence[Told], found: Found) -> None:
        """Count what would be done; what was known from the batches before is counted again."""
        for each in told:
            if remaking.needs_command(each.event) and each.event.causation_id not in found:
                self.report.miss(each.event.user_id, type(each.event).__name__, _GONE)
            else:
                self.report.events_applied[type(each.event).__name__] += 1

    async def _fresh(self, told: Sequence[Told]) -> dict[UUID, Told]:
        async with self.database.reading() as db:
            known = await users.sequences(db, {each.event.user_id for each in told})
        return {each.id: each for each in told if self._is_fresh(each, known)}

    def _is_fresh(self, told: Told, known: Mapping[UUID, int]) -> bool:
        """Of a user who was erased, the erasure alone counts."""
        event = told.event
        if event.user_id in self.survey.erased:
            return isinstance(event, UserErased) and event.sequence > known.get(event.user_id, 0)
        return event.sequence > known.get(event.user_id, 0)

    def _found(self, told: Sequence[Told]) -> dict[UUID, tuple[Request, Arrival]]:
        found: dict[UUID, tuple[Request, Arrival]] = {}
        for each in told:
            cause = each.event.causation_id
            if cause not in found and (made := self.commands.that_made(each.id, cause)):
                found[cause] = made
        self.report.commands_opened += len(found)
        return found

    async def _hashed(self, told: Sequence[Told], found: Found) -> dict[UUID, str]:
        """The hashes of the passwords that these commands set, all cores at work."""
        sets = {each.event.causation_id for each in told if isinstance(each.event, _SETS)}
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
        event, cause = told.event, told.event.causation_id
        if event.user_id in self.lost:
            return
        if isinstance(event, UserErased):
            self._erase(event, told, rows)
        elif remaking.needs_command(event) and cause not in found:
            self._lose(told, rows)
        elif isinstance(event, _OF_SESSION) and rows.session(event.session_id) is None:
            user_rules.follows(event, rows.users)
        else:
            private = NOTHING
            if cause in found:
                password_hash = passwords.get(cause, "")
                because = remaking.Cause(found[cause][0], rows, told.at, password_hash)
                private = remaking.remade(event, because)
            handlers.apply(event, private, rows, told.at)
            self.report.events_applied[type(event).__name__] += 1

    def _erase(self, event: UserErased, told: Told, rows: Rows) -> None:
        """What happened to the user before does not matter; the id stays, also of one unknown."""
        self.report.users_erased += 1
        user = rows.user(event.user_id)
        if user is None:
            rows.users.gone[event.user_id] = ErasedUser(event.user_id, event.sequence, told.at)
            return
        user.sequence = event.sequence - 1
        handlers.apply(event, NOTHING, rows, told.at)

    def _lose(self, told: Told, rows: Rows) -> None:
        """Its command is gone: the user's events still count on, without what it did."""
        event = told.event
        what = type(event).__name__
        if isinstance(event, SessionStarted):
            what = f"session {event.session_id}"
        self.report.miss(event.user_id, what, _GONE)
        if isinstance(event, UserCreated):
            self.lost.add(event.user_id)
        else:
            user_rules.follows(event, rows.users)


def _by_command(told: Iterable[Told]) -> list[list[Told]]:
    return [list(of) for _, of in groupby(told, lambda each: each.event.causation_id)]


def _proof(told: Told) -> Proof:
    event = told.event
    session_id = getattr(event, "session_id", None)
    return Proof(user_id=event.user_id, session_id=session_id, every_code=True, factor=True)
