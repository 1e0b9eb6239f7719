"""`authbus recover`, step by step. Killed at any of them, it is run again and goes on."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from authbus.envelope import read_headers
from authbus.topics import AUDIT, COMMAND_TOPICS, EVENTS
from authbus_service.auth.proof import Policy, Tools
from authbus_service.auth.users import repository as users
from authbus_service.consumers.labels import claimed_id
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.speaker import Speaker
from authbus_service.core import clock, installation
from authbus_service.core.beside import beside
from authbus_service.core.database import Database
from authbus_service.core.progress import Tell
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing
from authbus_service.inbox import partitions, writing
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.fence import Place
from authbus_service.outbox import repository as outbox
from authbus_service.recovery.applying import Applying
from authbus_service.recovery.backlog import Backlog, decided
from authbus_service.recovery.commands import Commands
from authbus_service.recovery.ending import end_lost_sessions
from authbus_service.recovery.events import Survey
from authbus_service.recovery.finishing import (
    forget_said,
    go_on_from,
    not_said_of,
)
from authbus_service.recovery.keys import SaidKeys, find_changes, make, said_keys
from authbus_service.recovery.late import Late
from authbus_service.recovery.losing import Losses
from authbus_service.recovery.ordering import in_time
from authbus_service.recovery.preparing import Preparing
from authbus_service.recovery.reading import Topics
from authbus_service.recovery.report import Report
from authbus_service.recovery.states import renew_states, take_states
from authbus_service.recovery.unsealing import unsealing

Keep = Callable[[Report], None]
# Clocks of the database and the broker may differ by less than this.
_SKEW = timedelta(hours=1)
# The longest that a command may have waited for its event.
_PATIENCE = timedelta(minutes=30)
# Events of one user are in order, those of others only nearly: commands are held so much longer.
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery works with. `committed` asks where the service's groups go on."""

    database: Database
    topics: Topics
    committed: Callable[[], Awaitable[Mapping[Place, int]]]
    keyring: KeyRing
    opener: Opener
    tools: Tools
    policy: Policy
    hashes: HashPool
    tell: Tell

    async def run(self, *, dry_run: bool = False, keep: Keep = lambda _: None) -> Report:
        """Recover and report; with `dry_run` nothing is written.

        `keep` is given the report before services may start again: what is lost is known until
        then alone. A recovery that ends before that is run again, and reports the same.

        Raises OthersWriteError, UnsettledError, ManifestError or an error of events.py.
        """
        report = Report(dry_run=dry_run)
        async with writing.alone(self.database):
            point, resumed = await self._restore_point()
            report.since = since = None if point is None else point - _SKEW
            if not dry_run:
                await self._begin(point)
            survey = await self._survey(since, report)
            await self._keys(await said_keys(self.topics, self.keyring.masters), report)
            earlier = None if since is None else since - _PATIENCE
            async with (
                self.topics.reader(COMMAND_TOPICS, earlier) as reader,
                unsealing(self.keyring.sealing_keys()) as unsealer,
            ):
                begin = partial(self.topics.reader, COMMAND_TOPICS)
                masters = self.keyring.masters
                commands = Commands(self.opener, unsealer, masters, reader, earlier, begin)
                losses = Losses(report)
                preparing = Preparing(
                    self.database,
                    commands,
                    self.hashes,
                    survey,
                    report,
                    losses,
                    dry_run,
                    point,
                    resumed,
                )
                await self._apply(preparing, Applying(self.database, report, losses, self.policy))
                await self._end(preparing, keep)
        return report

    async def _restore_point(self) -> tuple[datetime | None, bool]:
        """The last moment that the copy knew, None when it knew nothing, and whether it is resumed.

        Earlier is no fault: more is read, and known. A recovery that was killed has written down
        whence it began.
        """
        async with self.database.transaction() as db:
            begun = await installation.found(db)
            if begun is not None and begun.recovering:
                return begun.restore_point, True
            return await inbox.last_handled(db), False

    async def _survey(self, since: datetime | None, report: Report) -> Survey:
        async with self.database.transaction() as db:
            survey = Survey(await outbox.all_ids(db))
        async for batch in self.topics.batches([EVENTS], since):
            for _, record in batch:
                survey.note(record)
            self.tell("survey", survey.count, None)
        if survey.waiting:
            async for batch in self.topics.batches([AUDIT], since):
                for _, record in batch:
                    survey.note_id(claimed_id(read_headers(record.headers).get("ce_id")))
        report.events_read, report.last_event = survey.count, survey.last
        report.events_unreadable = survey.unreadable
        report.first_unreadable = survey.first and survey.first[1]
        return survey

    async def _begin(self, point: datetime | None) -> None:
        """From now on no relay begins; what one had begun is settled before anything is read."""
        async with self.database.transaction() as db:
            await partitions.keep(db)
            await installation.begin_recovery(db, point)
        await self.topics.settle(self.database)

    async def _keys(self, told: SaidKeys, report: Report) -> None:
        async with self.database.transaction() as db:
            change = await find_changes(db, told, clock.now())
            self.keyring.load(change.keys)
            if not report.dry_run:
                await make(db, change)
        report.keys_found = len(change.missing)
        report.keys_retired = len(change.retired)
        report.keys_destroyed = len(change.destroyed)

    async def _apply(self, preparing: Preparing, applying: Applying) -> None:
        """Each batch is written while the next one is read and opened."""
        done, report = 0, preparing.report
        async with (
            self.topics.reader([EVENTS], report.since) as reader,
            beside(applying.batch) as write,
        ):
            async for told in in_time(reader):
                batch = await preparing.batch(told)
                preparing.commands.forget(min(each[0].at for each in told) - _SLACK)
                if batch is not None:
                    await write(batch)
                done += sum(map(len, told))
                self.tell("events", done, report.events_read)

    async def _end(self, preparing: Preparing, keep: Keep) -> None:
        report, survey, losses = preparing.report, preparing.survey, preparing.losses
        if report.dry_run:
            report.sessions_ended = losses.tell_ends()
            keep(report)
            return
        async with self.database.transaction() as db:
            report.rows_said_before = await forget_said(db, survey.said)
            ahead = await not_said_of(db)
        await take_states(self.database, self.topics, losses.users - ahead, report)
        async with self.database.transaction() as db:
            survey.moved.update(losses.users)
            await users.own_addresses(db, survey.moved)
        committed = await self.committed()
        await self._late(survey, report, committed)
        report.sessions_ended = await end_lost_sessions(self.database, self.keyring.masters)
        losses.tell_ends()
        keep(report)
        async with self.database.transaction() as db:
            await renew_states(db, clock.now())
            await go_on_from(db, committed)

    async def _late(self, survey: Survey, report: Report, committed: Mapping[Place, int]) -> None:
        """Handle what came since the last events' commands, or so shortly before them."""
        since = survey.unsaid_since or report.since
        backlog = Backlog(self.topics, since, committed, survey.last)
        await backlog.read()
        done = await decided(self.topics, report.since, backlog.ids)
        speaker = Speaker(self.topics.namespace, self.topics.servers, self.topics.security)
        await speaker.start()
        try:
            masters, tools = self.keyring.masters, self.tools
            late = Late(self.database, self.opener, masters, tools, self.policy, done, speaker)
            async for arrivals in backlog.by_time():
                doubtful = [came for came in arrivals if backlog.is_doubtful(came)]
                report.handled_anew += await late.handle(doubtful)
                self.tell("late commands", report.handled_anew, None)
        finally:
            await speaker.stop()
