"""`authbus dead-letters redrive`: a record is handled here, as a service would have done it then.

It goes the service's own way: the same look-up, the same group, the same events into the outbox. It
is judged as of the time when it was appended. One that is answered with a secret is worth nothing
to nobody who waits: it is judged as of now, and expired when its time is over. So no session starts
late, and no refresh token changes behind its owner's back.

A letter is closed when all of it is said: what only waits to be said can be lost with the database.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from authbus.contract import ANSWERED_SEALED
from authbus.message import Reply
from authbus.replies import Code
from authbus.state import Closing, DeadLetterReason
from authbus_service.auth.outcome import Answer
from authbus_service.auth.proof import Tools
from authbus_service.auth.request import Request
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.batch_loader import BatchLoader
from authbus_service.consumers.finishing import Finishing
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.opening import Opened, Opener
from authbus_service.consumers.questions import letting_go
from authbus_service.consumers.route import Saying
from authbus_service.consumers.speaker import Speaker
from authbus_service.consumers.unreadable import UnreadableError
from authbus_service.consumers.way import Way
from authbus_service.consumers.writer import Writer
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.ids import id_time
from authbus_service.core.metrics import Metrics
from authbus_service.core.progress import Tell
from authbus_service.core.security.following import KeyFollower
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.masters import Masters
from authbus_service.core.watch import Watch
from authbus_service.inbox import partitions, writing
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.repository import Handled, Noted
from authbus_service.replay.letters import DeadLetters, Open
from authbus_service.replay.originals import Originals
from authbus_service.replay.saying import unsaid

# Longer than any time-out of the database's, so that a failure which passes is tried again.
_PATIENCE_SECONDS = 30.0
Known = Callable[[Sequence[UUID]], Awaitable[Mapping[UUID, Handled]]]
WITHOUT_EFFECT = "without_effect"
DONE = "done"
_UNFINISHED = "unfinished"
_LEFT = ("dead_again", "gone", "not_ours", _UNFINISHED)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a record. With an outcome its letter is closed, once `command` is said."""

    what: str
    outcome: str | None = None
    command: UUID | None = None


@dataclass(slots=True)
class Hearing:
    """In a speaker's place: remembers why a record was buried, and answers while somebody waits."""

    speaker: Speaker
    waited_for: bool
    buried: DeadLetterReason | None = None

    def answer(self, saying: Saying | None) -> None:
        """Say it, or keep it to ourselves."""
        if self.waited_for:
            self.speaker.answer(saying)

    async def answered(self, saying: Saying | None) -> None:
        """The same, and wait for it."""
        if self.waited_for:
            await self.speaker.answered(saying)

    async def bury(
        self,
        arrival: Arrival,  # noqa: ARG002
        reason: DeadLetterReason,
        command_id: str | None,  # noqa: ARG002
    ) -> None:
        """The letter is there already."""
        self.buried = reason


@dataclass(frozen=True, slots=True)
class Handling:
    """What a service has to handle commands with; see Way."""

    opener: Opener
    masters: Masters
    tools: Tools
    hashes: HashPool
    finish: Callable[[Answer, Request], Reply]
    keys: KeyFollower

    def way(self, writer: Writer, hearing: Hearing, known: Known, database: Database) -> Finishing:
        """The way of one command, to its end."""
        watch = Watch(Metrics())
        way = Way(
            opener=self.opener,
            masters=self.masters,
            tools=self.tools,
            hashes=self.hashes,
            known=BatchLoader(known),
            let_go=letting_go(database),
            hashed=writer,
            cheap=writer,
            speaker=hearing,
            finish=self.finish,
            keys=self.keys,
            watch=watch,
        )
        return Finishing(way, hearing, watch, self.opener.namespace)


@dataclass(frozen=True, slots=True)
class Redriving:
    """Handles dead letters of one installation, one after the other."""

    database: Database
    letters: DeadLetters
    originals: Originals
    speaker: Speaker
    handling: Handling
    tell: Tell
    wait: float = field(default=_PATIENCE_SECONDS)

    async def run(self, chosen: Sequence[Open], *, dry_run: bool) -> Counter[str]:
        """What became of each; those that need nobody any more are closed.

        `done`, `refused`, `expired`, `already_handled`, `without_effect` are closed. Left open are
        `dead_again`, `gone` (not on its topic any more, or older than the inbox remembers),
        `not_ours` (the record is at fault, not the service) and `unfinished` (not handled in time,
        or no relay has said it). A dry run knows of `would_be_handled` alone.
        """
        counts = Counter[str]()
        handled: list[tuple[Open, Fate]] = []
        step = "looked at" if dry_run else "handled"
        async with writing.beside(self.database):
            for done, each in enumerate(chosen):
                self.tell(step, done, len(chosen))
                fate = await self._one(each, dry_run=dry_run)
                if fate.outcome is None:
                    counts[fate.what] += 1
                else:
                    handled.append((each, fate))
            self.tell(step, len(chosen), len(chosen))
            return counts + await self._closed(handled)

    async def _closed(self, handled: Sequence[tuple[Open, Fate]]) -> Counter[str]:
        if not handled:
            return Counter()
        self.tell("said", 0, len(handled))
        commands = {fate.command for _, fate in handled if fate.command}
        left = await unsaid(self.database, commands, within=self.wait)
        said = [(each, fate) for each, fate in handled if fate.command not in left]
        await self.letters.close((each, Closing.HANDLED_ANEW, fate.outcome) for each, fate in said)
        self.tell("said", len(said), len(handled))
        return Counter(_UNFINISHED if fate.command in left else fate.what for _, fate in handled)

    async def _one(self, each: Open, *, dry_run: bool) -> Fate:
        if not each.can_be_redriven:
            return Fate("not_ours")
        came = await self.originals.of(each.letter)
        if came is None:
            return Fate("gone")
        try:
            labels = read_labels(came)
        except UnreadableError:
            return Fate("dead_again")
        if (id_time(labels.id) or clock.now()) < partitions.oldest(clock.now()):
            return Fate("gone")
        if await self._noted(labels.id) is not None:
            known = "already_handled"
            return Fate(known) if dry_run else Fate(known, known, labels.id)
        if dry_run:
            return Fate("would_be_handled")
        try:
            opened = self.handling.opener.open(came, labels)
        except UnreadableError:
            return Fate("dead_again")
        return await self._handled(came, opened)

    async def _handled(self, came: Arrival, opened: Opened) -> Fate:
        """What its headers say is not asked: some may be missing."""
        hearing = Hearing(self.speaker, clock.now() < opened.sealed.expirytime)
        then = None if type(opened.command) in ANSWERED_SEALED else came.appended_at
        async with self._writing(then) as writer:
            try:
                async with asyncio.timeout(self.wait):
                    with _as_of(then):
                        way = self.handling.way(writer, hearing, self._known, self.database)
                        await way(came)
            except TimeoutError:
                return Fate(_UNFINISHED)
        if hearing.buried is not None:
            return Fate("dead_again")
        return _told(opened.sealed.id, await self._noted(opened.sealed.id))

    @asynccontextmanager
    async def _writing(self, then: datetime | None) -> AsyncGenerator[Writer]:
        grouping = Grouping(self.database, self.handling.tools.policy, lambda _: {}, at=then)
        writer = Writer(grouping, known=self._known, committed=lambda _: None)
        running = asyncio.create_task(writer.run())
        try:
            yield writer
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def _known(self, ids: Sequence[UUID]) -> Mapping[UUID, Handled]:
        async with self.database.reading() as db:
            return await inbox.known(db, ids)

    async def _noted(self, id_: UUID) -> Noted | None:
        async with self.database.reading() as db:
            return (await inbox.noted(db, [id_])).get(id_)


def is_good(counts: Counter[str]) -> bool:
    """Whether nothing is left to look at."""
    return not any(counts[each] for each in _LEFT)


def _as_of(then: datetime | None) -> AbstractContextManager[None]:
    return nullcontext() if then is None else clock.standing_at(then)


def _told(command: UUID, noted: Noted | None) -> Fate:
    if noted is None:
        return Fate(WITHOUT_EFFECT, WITHOUT_EFFECT, command)
    if noted.code is None:
        return Fate(DONE, DONE, command)
    return Fate("expired" if noted.code == Code.EXPIRED else "refused", noted.code, command)
