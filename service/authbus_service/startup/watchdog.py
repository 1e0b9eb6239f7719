"""What the watchdog looks at, and when it may not bark."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import func, select, true

from authbus_service.cluster.errors import KAFKA_AWAY
from authbus_service.consumers.member import asking
from authbus_service.consumers.service import Consumers
from authbus_service.consumers.subscriber import Intake
from authbus_service.core.database import DATABASE_AWAY
from authbus_service.core.watch import Watch
from authbus_service.core.watchdog import Part, Pulse, Watchdog
from authbus_service.relay.state import RelayState
from authbus_service.startup.database import open_database
from authbus_service.startup.errors import StartupError

_ANSWER_SECONDS = 5.0
# Something to commit: where a standby must confirm it and none does, that is what hangs.
_COMMITTED = select(func.pg_logical_emit_message(true(), "authbus", ""))


@dataclass(frozen=True, slots=True)
class Answering:
    """Kafka and PostgreSQL, asked over connections of their own: ours may be what hangs."""

    kafka: Mapping[str, Any]
    database_url: str

    async def answer(self) -> bool:
        """Whether both do."""
        return await self._kafka_answers() and await self._database_answers()

    async def _kafka_answers(self) -> bool:
        try:
            async with asking(self.kafka):
                return True
        except KAFKA_AWAY:
            return False

    async def _database_answers(self) -> bool:
        try:
            database = open_database(self.database_url)
        except StartupError:  # a certificate that is being replaced
            return False
        try:
            async with asyncio.timeout(_ANSWER_SECONDS), database.transaction() as db:
                await db.execute(_COMMITTED)
            return True
        except DATABASE_AWAY:
            return False
        finally:
            await database.close()


@asynccontextmanager
async def under_watch(
    consumers: Consumers, relay: RelayState, servers: Answering, *, seconds: float
) -> AsyncGenerator[asyncio.Future[None]]:
    """Watch for the length of a block; what comes raises StalledError, with 0 seconds never."""
    if not seconds:
        yield asyncio.get_running_loop().create_future()
        return
    parts = [*_consuming(consumers, servers), _relaying(relay)]
    with Pulse(seconds):
        task = asyncio.create_task(Watchdog(parts, servers.answer, seconds).run(), name="watchdog")
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _consuming(consumers: Consumers, servers: Answering) -> Iterator[Part]:
    for intake in consumers.intakes:
        yield Part(
            f"handling of {intake.name} commands",
            partial(_handled, intake, consumers.watch),
            partial(_has_unfinished, intake),
        )
        yield Part(
            f"fetching of {intake.name} commands",
            partial(_taken, intake, consumers.watch),
            partial(_is_behind, intake, servers.kafka),
        )


def _handled(intake: Intake, watch: Watch) -> tuple[int, int]:
    return intake.progress.finished, watch.tries


async def _has_unfinished(intake: Intake) -> bool:
    return intake.progress.unfinished > 0


def _taken(intake: Intake, watch: Watch) -> tuple[int, int]:
    """Where each place is held by a command that is tried again, nothing more is taken."""
    return intake.progress.taken, watch.tries


async def _is_behind(intake: Intake, kafka: Mapping[str, Any]) -> bool:
    """No member of the group is behind too, and so is one whose records are not let in."""
    member = intake.member()
    return member is None or not member.admitted or await member.is_behind(kafka)


def _relaying(relay: RelayState) -> Part:
    async def leads() -> bool:
        return relay.leading

    return Part("the relay", lambda: (relay.last_look_at, relay.restarts.total()), leads)
