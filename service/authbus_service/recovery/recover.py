"""`authbus recover`, step by step. Killed at any of them, it is run again and goes on."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from authbus.topics import AUDIT, COMMAND_TOPICS, Topic
from authbus_service.auth.proof import Policy, Tools
from authbus_service.auth.users import repository as users
from authbus_service.consumers.opening import Opener
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.installation import Installation
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing
from authbus_service.inbox import partitions, writing
from authbus_service.inbox.models import InboxRow
from authbus_service.recovery.applying import Applying
from authbus_service.recovery.commands import Commands
from authbus_service.recovery.ending import end_lost_sessions
from authbus_service.recovery.events import Survey, said
from authbus_service.recovery.finishing import commit_offsets, forget_said, go_on_from
from authbus_service.recovery.keys import SaidKeys, find_changes, make, said_keys
from authbus_service.recovery.late import Late
from authbus_service.recovery.losing import Losses
from authbus_service.recovery.reading import Place, Topics
from authbus_service.recovery.report import Report
from authbus_service.recovery.states import take_states

# Clocks of the database and the broker may differ by less than this.
_SKEW = timedelta(hours=1)
# The longest that a command may have waited for its event.
_PATIENCE = timedelta(minutes=30)

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery works with. `groups` are the Kafka groups of the service and their topics."""

    database: Database
    topics: Topics
    groups: Mapping[str, Iterable[Topic]]
    keyring: KeyRing
    opener: Opener
    tools: Tools
    policy: Policy
    hashes: HashPool
    tell: Tell

    async def run(self, *, dry_run: bool = False) -> Report:
        """Recover and report; with `dry_run` nothing is written.

        Raises UnknownEventError, and DBAPIError when a service still writes.
        """
        report = Report(dry_run=dry_run)
        async with self._alone():
            point = await self._restore_point()
            report.since = since = None if point is None else point - _SKEW
            survey = await self._survey(since, report)
            found = await said_keys(self.topics, self.keyring.masters)
            if not dry_run:
                await self._begin(point)
            await self._keys(found, report)
            commands, ends = await self._commands(since, survey)
            losses = Losses(report)
            applying = Applying(
                self.database,
                commands,
                self.hashes,
                survey,
                report,
                losses,
                self.policy,
                dry_run,
                point,
            )
            await self._apply(applying, since, survey)
            if dry_run:
                report.sessions_ended = losses.tell_ends()
            else:
                await take_states(self.database, self.topics, losses.users, report)
                await self._finish(survey, commands, ends, report)
                losses.tell_ends()
        return report

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        async with self.database.reading() as db:
            await writing.alone(db)
            try:
                yield
            finally:
                await writing.no_more(db)

    async def _restore_point(self) -> datetime | None:
        """The last moment that the copy knew; None: it knew nothing.

        A recovery that was killed has written down whence it began.
        """
        asked = select(Installation.recovering, Installation.restore_point)
        async with self.database.reading() as db:
            begun = (await db.execute(asked)).one()
            if begun.recovering:
                return begun.restore_point
            return await db.scalar(select(func.max(InboxRow.handled_at)))

    async def _survey(self, since: datetime | None, report: Report) -> Survey:
        survey = Survey()
        async for told in said(self.topics, since):
            survey.note(told)
        async for batch in self.topics.batches([AUDIT], since):
            for _, record in batch:
                survey.note_audit(record)
        report.events_read, report.last_event = survey.count, survey.last
        self.tell(f"{survey.count} events since {since}, of {len(survey.users)} users")
        return survey

    async def _begin(self, point: datetime | None) -> None:
        begun = update(Installation).values(recovering=True, restore_point=point)
        async with self.database.transaction() as db:
            await partitions.keep(db, clock.now())
            await db.execute(begun)

    async def _keys(self, told: SaidKeys, report: Report) -> None:
        async with self.database.transaction() as db:
            change = await find_changes(db, told, clock.now())
            self.keyring.load(change.keys)
            if not report.dry_run:
                await make(db, change)
        report.keys_found = len(change.missing)
        report.keys_retired = len(change.retired)
        report.keys_destroyed = len(change.destroyed)

    async def _commands(
        self, since: datetime | None, survey: Survey
    ) -> tuple[Commands, dict[Place, int]]:
        commands = Commands(self.opener, self.keyring.masters)
        ends = await self.topics.ends(COMMAND_TOPICS)
        earlier = None if since is None else since - _PATIENCE
        await commands.read(self.topics, earlier, survey)
        return commands, ends

    async def _apply(self, applying: Applying, since: datetime | None, survey: Survey) -> None:
        done = 0
        async for told in said(self.topics, since):
            await applying.batch(told)
            done += len(told)
            self.tell(f"{done} of {survey.count} events")

    async def _finish(
        self, survey: Survey, commands: Commands, ends: Mapping[Place, int], report: Report
    ) -> None:
        async with self.database.transaction() as db:
            await users.own_addresses(db, survey.users)
            report.rows_said_before = await forget_said(db, survey.ids)
        late = Late(self.database, self.opener, self.keyring.masters, self.tools, self.policy)
        report.handled_anew = await late.handle(commands.late)
        report.sessions_ended = await end_lost_sessions(self.database, self.keyring.masters)
        await commit_offsets(self.topics, self.groups, ends)
        async with self.database.transaction() as db:
            await go_on_from(db, ends)
