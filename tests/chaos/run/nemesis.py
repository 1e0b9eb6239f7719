"""Does harm by chance, to one process and to one request at a time, and heals each."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import monotonic

from tests.chaos.run.commits import Commits
from tests.chaos.run.crashes import Crashes
from tests.chaos.run.disks import Filling
from tests.chaos.run.jumps import Jumps
from tests.chaos.run.members import Member
from tests.chaos.run.menu import LANES, Lane
from tests.chaos.run.nodes import Nodes
from tests.chaos.run.stage import NAMESPACE, Stage
from tests.chaos.run.upkeep import Upkeep
from tests.chaos.run.wire import FOR_LONG, Fault, Span, Wire
from tests.rig.command_line import authbus

_UP_SECONDS = 60.0
_DOWN = (0.0, 1.5)
# Longer than Kafka waits for a member and for a transaction, and than a relay's lease lasts.
_SHORT_STOP, LONG_STOP = (0.3, 2.0), (5.5, 8.0)
_LEAD = "3"
_TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that really happened, in seconds of the run's clock. `healed`: all runs again."""

    name: str
    began: float
    healed: float


@dataclass
class Nemesis:
    """Does what is on a menu, each once a round. `failed` are commands that were let fail."""

    stage: Stage
    members: list[Member]
    random: Random
    struck: list[Struck] = field(default_factory=list[Struck])
    failed: set[str] = field(default_factory=set[str])

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name; each tells whether it happened."""
        stack = self.stage.stack
        return {
            "kill a service": self._kill_service,
            "kill the broker": lambda: self._kill(stack.kill_kafka, stack.restart_kafka),
            "kill PostgreSQL": lambda: self._kill(stack.kill_postgres, stack.restart_postgres),
            "terminate backends": self._terminate,
            **self._stops("stop a service", self._stop_service),
            **self._stops(
                "stop the broker", lambda span: self._stop(stack.kafka_process.pid, span)
            ),
            **self._stops(
                "stop PostgreSQL", lambda span: self._stop(stack.postgres_process.pid, span)
            ),
            "restart all services": self._restart_all,
            "rotate keys": self._rotate,
            **Crashes(self.stage, self.members).faults,
            **Wire(
                self.stage.kafka.proxy, f"{NAMESPACE}.relay", Random(self.random.random())
            ).faults,
            **self._of_this_stage(),
            **Upkeep(self.stage, Random(self.random.random()), self.failed).faults,
            **Jumps(self.stage, self.members, Random(self.random.random())).faults,
            **Commits(self.stage, Random(self.random.random())).faults,
        }

    def _of_this_stage(self) -> dict[str, Fault]:
        """What not every stage has: nodes, disks that can be full."""
        stage, kafka, found = self.stage, self.stage.kafka, dict[str, Fault]()
        if kafka.cluster is not None:
            found |= Nodes(kafka.cluster, Random(self.random.random())).faults
        if stage.disks is not None:
            found |= Filling(stage.disks, stage.stack, Random(self.random.random())).faults
        return found

    async def strike(self, menu: tuple[str, ...], until: float) -> None:
        """Do harm in all lanes until that time; on return all is healed.

        Raises RuntimeError when a lane ended before: aiokafka may cancel who calls it.
        """
        striking = list[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:
            for lane in LANES:
                if names := lane.chosen(menu):
                    chance = Random(self.random.random())
                    striking.append(group.create_task(self._strike(lane, names, chance, until)))
        if any(each.cancelled() for each in striking):
            raise RuntimeError("a lane of faults ended before its time")

    async def _strike(self, lane: Lane, menu: list[str], chance: Random, until: float) -> None:
        faults, round_ = self.faults, list[str]()
        while monotonic() < until:
            await asyncio.sleep(chance.uniform(*lane.rest))
            if monotonic() >= until:
                return
            if not round_:
                round_ = chance.sample(menu, len(menu))
            name, began = round_.pop(), monotonic()
            if await faults[name]():
                self.struck.append(Struck(name, began, monotonic()))
            else:  # what it waited for did not come by; later in this round it may
                round_.insert(0, name)

    async def _kill_service(self) -> bool:
        member = self.random.choice(self.members)
        happened = member.end_by(signal.SIGKILL, self.random.uniform(*_DOWN))
        await member.until_up(_UP_SECONDS)
        return happened

    async def _restart_all(self) -> bool:
        """As a new version is rolled out: each in turn, the next when that one runs again."""
        for member in self.random.sample(self.members, len(self.members)):
            await member.until_up(_UP_SECONDS)
            if not member.end_by(signal.SIGTERM):
                return False
            await member.until_up(_UP_SECONDS)
        return True

    async def _rotate(self) -> bool:
        """As an operator does it, while a process may be down and clients have the old keys."""
        status, _, _ = await authbus(self.stage.settings, "keys", "rotate", "--lead", _LEAD)
        return status == 0

    async def _kill(
        self, kill: Callable[[], Awaitable[None]], restart: Callable[[], Awaitable[None]]
    ) -> bool:
        await kill()
        await asyncio.sleep(self.random.uniform(*_DOWN))
        await restart()
        return True

    async def _terminate(self) -> bool:
        async with self.stage.database() as db:
            return bool(await db.fetchval(_TERMINATE))

    def _stops(self, name: str, stop: Callable[[Span], Awaitable[bool]]) -> Mapping[str, Fault]:
        return {
            name: lambda: stop(_SHORT_STOP),
            FOR_LONG.format(name): lambda: stop(LONG_STOP),
        }

    async def _stop_service(self, span: Span) -> bool:
        member = self.random.choice(self.members)
        if not member.send(signal.SIGSTOP):
            return False
        try:
            await asyncio.sleep(self.random.uniform(*span))
        finally:
            member.send(signal.SIGCONT)
        return True

    async def _stop(self, pid: int, span: Span) -> bool:
        """The server with all its children."""
        stopped: list[int] = []
        try:
            for each in [pid, *_children(pid)]:
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGSTOP)
                    stopped.append(each)
            await asyncio.sleep(self.random.uniform(*span))
        finally:
            for each in reversed(stopped):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGCONT)
        return True


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        return [int(each) for each in found]
    return []
