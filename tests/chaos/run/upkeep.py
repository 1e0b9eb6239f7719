"""What a service lives through: members come and go, days are dropped, records come again."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from authbus.kafka.stopping import stop
from authbus.topics import COMMAND_TOPICS
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.consumers.intakes import groups_of
from authbus_service.consumers.transient import OUTAGE
from authbus_service.core import clock
from authbus_service.core.database import connect
from authbus_service.core.exit_status import Exit
from authbus_service.inbox import partitions
from tests.chaos.run.points import FAIL, ill, order
from tests.chaos.run.stage import NAMESPACE, Stage
from tests.chaos.run.wire import Fault
from tests.rig.command_line import authbus

MENU = (
    "a member joins and leaves",
    "prune the inbox",
    "redrive a dead letter",
    "replay a topic",
)
_JOINS_SECONDS, _STAYS = 20.0, (0.0, 1.5)
_MISSED_MS = 3000
_TRIES = 10
_AGAIN_SECONDS = 0.5
_FAILS_SECONDS, _LOOK_SECONDS = 6.0, 0.05
# A stretch of a replay: so much of each partition's beginning, or the last seconds and what comes.
_FIRST_RECORDS, _LAST = "100", timedelta(seconds=10)
_OLD_ROWS = """
INSERT INTO inbox (time, id, digest, content, master, expires_at, handled_at, outcome)
SELECT $1, gen_random_uuid(), digest, content, master, expires_at, handled_at, outcome
FROM inbox LIMIT 100
"""
_AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


@dataclass(frozen=True)
class Upkeep:
    """Each of `faults` tells whether it happened; `failed` are the commands that were let fail."""

    stage: Stage
    random: Random
    failed: set[str]

    @property
    def faults(self) -> dict[str, Fault]:
        """Every one by its name."""
        work = (self._rebalance, self._prune, self._redrive, self._replay)
        return dict(zip(MENU, work, strict=True))

    async def _rebalance(self) -> bool:
        """A stranger has some of a group's partitions for a while, and reads nothing."""
        name, of = self.random.choice([*groups_of(NAMESPACE).items()])
        member = AIOKafkaConsumer(
            *(topic.name(NAMESPACE) for topic in of),
            bootstrap_servers=self.stage.servers,
            group_id=name,
            enable_auto_commit=False,
            session_timeout_ms=_MISSED_MS,
            heartbeat_interval_ms=_MISSED_MS // 6,
        )
        try:
            async with asyncio.timeout(_JOINS_SECONDS):
                await member.start()
                while not member.assignment():  # noqa: ASYNC110 - it is set by a task of its own
                    await asyncio.sleep(_LOOK_SECONDS)
                await asyncio.sleep(self.random.uniform(*_STAYS))
        except (KafkaError, TimeoutError):
            return False
        finally:
            await stop(member)
        return True

    async def _prune(self) -> bool:
        """A day of the inbox that is over is dropped while its neighbours are written."""
        day = partitions.oldest(clock.now()) - timedelta(days=self.random.randint(1, 300))
        name = f"inbox_{day:%Y%m%d}"
        with suppress(*_AWAY):
            async with self.stage.database() as db:
                await db.execute(
                    f"CREATE TABLE {name} PARTITION OF inbox"
                    f" FOR VALUES FROM ('{day.isoformat()}') TO ('{day + timedelta(days=1)}')"
                )
                await db.execute(_OLD_ROWS, day)
        return await self._kept_house() and not await self._is_there(name)

    async def _kept_house(self) -> bool:
        database = connect(self.stage.settings["DATABASE_URL"])
        try:
            for _ in range(_TRIES):
                try:
                    await Housekeeping(database).keep_partitions()
                except OUTAGE:
                    await asyncio.sleep(_AGAIN_SECONDS)
                else:
                    return True
        finally:
            await database.close()
        return False

    async def _is_there(self, name: str) -> bool:
        for _ in range(_TRIES):
            with suppress(*_AWAY):
                async with self.stage.database() as db:
                    return await db.fetchval("SELECT to_regclass($1) IS NOT NULL", name)
            await asyncio.sleep(_AGAIN_SECONDS)
        return True

    async def _redrive(self) -> bool:
        """A process fails at one command until that was redriven."""
        ordered = order(self.stage.orders, FAIL)
        ordered.touch()
        try:
            async with asyncio.timeout(_FAILS_SECONDS):
                while ordered.exists():  # noqa: ASYNC110 - a file wakes nobody
                    await asyncio.sleep(_LOOK_SECONDS)
            for _ in range(_TRIES):
                await asyncio.sleep(_AGAIN_SECONDS)
                status, out, _ = await authbus(
                    self.stage.settings, "dead-letters", "redrive", "--reason", "failed"
                )
                if status == 0 and json.loads(out)["selected"]:
                    return True
        except TimeoutError:
            pass
        finally:
            ordered.unlink(missing_ok=True)
            for each in self.stage.orders.glob(ill("*")):
                self.failed.add(each.name.removeprefix(ill("")))
                each.unlink()
        return False

    async def _replay(self) -> bool:
        """Some commands of a topic again while it is written; what waits or is dead may be left."""
        topic = self.random.choice(COMMAND_TOPICS)
        old = ("--from", "0", "--to", _FIRST_RECORDS)
        new = ("--from", (clock.now() - _LAST).isoformat())
        command = ("replay", "commands", topic.suffix, *self.random.choice([old, new]))
        with suppress(TimeoutError):
            status, out, _ = await authbus(self.stage.settings, *command, "--wait", "0")
            # What was refused for an outage says nothing of records.
            return status in (0, Exit.LEFT) and bool(out) and json.loads(out)["selected"] > 0
        return False
