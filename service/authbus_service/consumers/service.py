"""The consumers together: two intakes, two writers, the fence's heart-beat."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import UUID

from authbus import topics
from authbus_service.auth.granting import Granting
from authbus_service.auth.proof import Policy, Tools
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.consumers.batch_loader import BatchLoader
from authbus_service.consumers.bounded import read_bounded
from authbus_service.consumers.broker import broker
from authbus_service.consumers.company import Company
from authbus_service.consumers.finishing import Finishing
from authbus_service.consumers.group import Committed, Grouping
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.consumers.intakes import INTAKES
from authbus_service.consumers.job import Job
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.passing import Passing
from authbus_service.consumers.policy import policy_of
from authbus_service.consumers.progress import Progress
from authbus_service.consumers.questions import letting_go, readers_of, tools_of
from authbus_service.consumers.speaker import Speaker
from authbus_service.consumers.subscriber import Intake
from authbus_service.consumers.sweeping import Sweeper
from authbus_service.consumers.transient import OUTAGE
from authbus_service.consumers.watched import Watched
from authbus_service.consumers.way import Way
from authbus_service.consumers.went_back import Guard, Witnesses
from authbus_service.consumers.with_partitions import WithPartitions
from authbus_service.consumers.writer import Writer
from authbus_service.core.clients import Client
from authbus_service.core.config import Settings
from authbus_service.core.database import Database, name_of
from authbus_service.core.logging import get_logger
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.following import KeyFollower
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.sets import Writes
from authbus_service.core.watch import Watch
from authbus_service.inbox import fence, writing
from authbus_service.inbox import repository as inbox
from authbus_service.inbox.fence import Place
from authbus_service.inbox.writing import RecoveryRunsError

_TICK = 0.2

_log = get_logger(__name__)


class Consumers:
    """Everything between the command topics and the committed effect.

    `broker` runs the subscribers; `start` before the broker's start, `stop` before its stop.
    `failure` is set when the process must end.
    """

    failure: asyncio.Future[None] | None = None

    def __init__(  # noqa: PLR0913 - what the wiring has made, each by its name
        self,
        *,
        database: Database,
        settings: Settings,
        bootstrap_servers: str,
        security: Mapping[str, Any] = MappingProxyType({}),
        clients: Mapping[str, Client],
        keyring: KeyRing,
        hashes: HashPool,
        wake_relay: Callable[[], None],
        roles: Roles = BUILT_IN,
        watch: Watch | None = None,
    ) -> None:
        """Nothing is connected yet. `security` are aiokafka's keyword arguments.

        `watch` is told what happens.
        """
        self.watch = watch or Watch(Metrics())
        self._database, self._wake_relay = database, wake_relay
        self.broker = broker(bootstrap_servers, security)
        self._speaker = Speaker(settings.namespace, bootstrap_servers, security, self.watch)
        policy = policy_of(settings, roles)
        self._guard = Guard(database, bootstrap_servers, settings.namespace, security)
        self.house = Housekeeping(database)
        self._hashed = self._writer("hashed", policy)
        self._cheap = self._writer("cheap", policy)
        readers = readers_of(settings.issuer, keyring)
        self._keyring = keyring
        self._keys = KeyFollower(database, keyring, settings.keys_reload_seconds)
        tools = tools_of(database, hashes, policy, *readers)
        way = self._way(settings, Opener(keyring, clients, settings.namespace), tools, hashes)
        handle = Finishing(way, self._speaker, self.watch, settings.namespace)
        self._intakes = [self._intake(*each, settings, handle) for each in INTAKES]
        self._sweeper = Sweeper(database, keyring.masters, settings.sweep_seconds, wake_relay)
        self._witnesses = Witnesses(database, self._guard.said, self._fail)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def intakes(self) -> Sequence[Intake]:
        """The two of them, for who looks at how they do."""
        return self._intakes

    @property
    def groups(self) -> list[str]:
        """The Kafka groups that it joins."""
        return [intake.group for intake in self._intakes]

    async def start(self) -> None:
        """Make the inbox's partitions, connect, and begin to write."""
        read_bounded()
        self.failure = asyncio.get_running_loop().create_future()
        await self.house.keep_partitions()
        await self._witnesses.watch()
        await self._speaker.start()
        self._tasks = [
            asyncio.create_task(each)
            for each in (
                self._hashed.run(),
                self._cheap.run(),
                self._beat(),
                self.house.run(),
                self._sweeper.run(),
                self._keys.run(),
                self.house.sum_up(),
            )
        ]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Take nothing more, finish what runs, commit, let the answers go out."""
        await asyncio.gather(*(self._close(intake) for intake in self._intakes))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._witnesses.leave()
        await self._speaker.stop()

    async def _close(self, intake: Intake) -> None:
        try:
            await intake.close()
        except (*OUTAGE, RecoveryRunsError) as error:
            _log.warning("offsets are left behind", group=intake.group, error=name_of(error))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self.failure is not None and not self.failure.done():
            self.failure.set_exception(error)

    def _way(self, settings: Settings, opener: Opener, tools: Tools, hashes: HashPool) -> Way:
        return Way(
            opener=opener,
            masters=self._keyring.masters,
            tools=tools,
            hashes=hashes,
            known=BatchLoader(self._ask_known),
            let_go=letting_go(self._database),
            hashed=self._hashed,
            cheap=self._cheap,
            speaker=self._speaker,
            finish=Granting(settings.issuer, self._keyring.sign, settings.totp_issuer),
            keys=self._keys,
            watch=self.watch,
        )

    def _writer(self, name: str, policy: Policy) -> Writer:
        grouping = Grouping(self._database, policy, self._fence_below)
        kept = WithPartitions(grouping, self.house.keep_partitions)
        watched = Watched(kept, self.watch, name)
        return Writer(
            watched,
            known=self._ask_known,
            committed=self._committed,
            company=Company(self.watch.metrics.group_window.of[name].see),
        )

    def _intake(
        self, name: str, of: Sequence[topics.Topic], settings: Settings, handle: Finishing
    ) -> Intake:
        def lanes(progress: Progress) -> Lanes:
            return Lanes(handle, progress, passing=Passing(self._database, self.watch))

        intake = Intake(
            name,
            of,
            settings.namespace,
            lanes,
            instance=settings.instance,
            guard=self._guard,
            persist=self._persist,
            failed=self._fail,
        )
        intake.register(self.broker)
        return intake

    async def _ask_known(self, ids: Sequence[UUID]) -> Mapping[UUID, inbox.Handled]:
        async with self._database.reading() as db:
            return await inbox.known(db, ids)

    def _fence_below(self, jobs: Iterable[Job]) -> dict[Place, int]:
        finishing = [job.arrival for job in jobs]
        below: dict[Place, int] = {}
        for intake in self._intakes:
            below |= intake.progress.below(finishing)
        return below

    def _committed(self, done: Committed) -> None:
        self._witnesses.note(done.claimed)
        for intake in self._intakes:
            intake.progress.moved(done.fence)
        self._wake_relay()

    async def _persist(self, intake: Intake) -> None:
        """Move the fence in a transaction of its own, for what no group has covered."""
        if ahead := intake.progress.ahead():
            async with self._database.transaction() as db:
                await writing.begin(db)
                async with Writes.to(db) as writes:
                    fence.move(writes, ahead)
            intake.progress.moved(ahead)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            for intake in self._intakes:
                try:
                    await self._persist(intake)
                    await intake.commit()
                except OUTAGE as error:
                    _log.warning("offsets wait", group=intake.group, error=name_of(error))
