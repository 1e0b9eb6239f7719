"""Events applied again, many in one transaction; what the database knows already is passed over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.events import (
    AnyEvent,
    SessionEnded,
    SessionRefreshed,
    UserErased,
)
from authbus_service.auth import handlers, repository
from authbus_service.auth.cause import Cause
from authbus_service.auth.outcome import stored
from authbus_service.auth.private import NOTHING, Private
from authbus_service.auth.private_parts import needs_command, private_part
from authbus_service.auth.proof import Policy, Proof
from authbus_service.auth.rows import Rows
from authbus_service.auth.users import service as user_rules
from authbus_service.auth.users.user import ErasedUser
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.sets import Writes
from authbus_service.inbox import partitions
from authbus_service.inbox import repository as inbox
from authbus_service.recovery import losing
from authbus_service.recovery.answers import Done, answer
from authbus_service.recovery.events import MissingEventError, SaidEvent
from authbus_service.recovery.losing import Losses
from authbus_service.recovery.ordering import Caused
from authbus_service.recovery.preparing import Batch
from authbus_service.recovery.report import Report

_OF_SESSION = (SessionEnded, SessionRefreshed)


@dataclass(slots=True)
class Applying:
    """Applies batches of events in their order, each in one transaction."""

    database: Database
    report: Report
    losses: Losses
    policy: Policy
    oldest: datetime = field(default_factory=lambda: partitions.oldest(clock.now()))

    async def batch(self, batch: Batch) -> None:
        """Apply those of these events that the database does not know, and commit once."""
        async with self.database.transaction() as db:
            rows = await self._rows(db, [each for of in batch.told for each in of])
            handled = [
                row for each in batch.told if (row := self._command(each, batch, rows)) is not None
            ]
            rows.users.leave_addresses()
            await inbox.put(db, handled)
            await repository.flush(db, rows, Writes())

    async def _rows(self, db: AsyncConnection, told: Sequence[SaidEvent]) -> Rows:
        proofs = [_proof(each) for each in told]
        rows, _ = await repository.lock(db, proofs, wait=True)
        await repository.load_sessions(db, proofs, rows)
        await repository.load_codes(db, proofs, rows)
        await repository.load_factors(db, proofs, rows)
        return rows

    def _command(self, told: Caused, batch: Batch, rows: Rows) -> inbox.Handled | None:
        """Apply one command's events; returns its row of the inbox, if it is to have one."""
        cause = told[0].event.causation_id
        for each in told:
            if each.id in batch.fresh:
                self._apply(each, batch, rows)
        if cause not in batch.found:
            return None
        request, came = batch.found[cause]
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

    def _apply(self, told: SaidEvent, batch: Batch, rows: Rows) -> None:
        event = told.event
        if isinstance(event, UserErased):
            self._erase(event, told, rows)
            return
        if not _is_next(event, rows):
            return
        if isinstance(event, _OF_SESSION) and rows.session(event.session_id) is None:
            user_rules.follows(event, rows.users)
            return
        private = self._private(told, batch, rows)
        if private is None:
            losing.apply_void(event, rows, told.at)
            self.losses.note(event)
        else:
            handlers.apply(event, private, rows, told.at)
            self.losses.applied(event)

    def _private(self, told: SaidEvent, batch: Batch, rows: Rows) -> Private | None:
        """What `apply` needs beside the event; None: it is lost."""
        event, cause, found = told.event, told.event.causation_id, batch.found
        if not needs_command(event) and cause not in found:
            return NOTHING
        if cause not in found or not losing.has_factor(event, rows):
            return None
        because = Cause(found[cause][0], rows, told.at, batch.passwords.get(cause, ""))
        return losing.on_known_codes(event, private_part(event, because), rows)

    def _erase(self, event: UserErased, told: SaidEvent, rows: Rows) -> None:
        """What happened to the user before does not matter; the id stays, also of one unknown."""
        self.report.users_erased += 1
        user = rows.user(event.user_id)
        if user is None:
            rows.users.gone[event.user_id] = ErasedUser(event.user_id, event.sequence, told.at)
            return
        user.sequence = event.sequence - 1
        handlers.apply(event, NOTHING, rows, told.at)


def _is_next(event: AnyEvent, rows: Rows) -> bool:
    """False: the event stands twice on its topic. Raises MissingEventError."""
    user = rows.user(event.user_id)
    known = 0 if user is None else user.sequence
    if event.sequence > known + 1:
        raise MissingEventError(
            f"event {event.sequence} of user {event.user_id} does not follow {known}: Kafka has "
            "lost what was said in between. Restore a newer backup, which knows that, then run "
            "authbus recover again"
        )
    return event.sequence > known


def _proof(told: SaidEvent) -> Proof:
    event = told.event
    session_id = getattr(event, "session_id", None)
    return Proof(user_id=event.user_id, session_id=session_id, every_code=True, factor=True)
