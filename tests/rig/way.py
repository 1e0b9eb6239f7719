"""The service's own way of a command, without Kafka: its answers are heard where they are made."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from authbus.state import DeadLetterReason
from authbus_service.auth.granting import Granting
from authbus_service.auth.proof import Policy
from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.batch_loader import BatchLoader
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.opening import Opener
from authbus_service.consumers.questions import letting_go, readers_of, tools_of
from authbus_service.consumers.route import Saying, Voice
from authbus_service.consumers.way import Way
from authbus_service.consumers.writer import Writer
from authbus_service.core.clients import EMBEDDED_CLIENTS
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.following import KeyFollower
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.watch import Watch
from authbus_service.inbox import repository as inbox

_NEVER = 1e9


@dataclass
class Ear:
    """Hears the answers that would go to Kafka."""

    heard: list[Saying] = field(default_factory=list[Saying])

    def answer(self, saying: Saying | None) -> None:
        if saying is not None:
            self.heard.append(saying)

    async def answered(self, saying: Saying | None) -> None:
        self.answer(saying)

    async def bury(
        self, arrival: Arrival, reason: DeadLetterReason, command_id: str | None
    ) -> None:
        raise AssertionError(f"{command_id} was buried: {reason}")


def a_way(
    database: Database,
    ear: Voice,
    hashes: HashPool,
    keyring: KeyRing,
    policy: Policy,
    settings: Settings,
) -> tuple[Way, tuple[Writer, Writer]]:
    """All between a record and its answer, but Kafka; its two writers are to be run."""

    async def known(ids: Sequence[UUID]) -> Mapping[UUID, inbox.Handled]:
        async with database.reading() as db:
            return await inbox.known(db, ids)

    def writer() -> Writer:
        grouping = Grouping(database, policy, _no_fence)
        return Writer(grouping, known=known, committed=lambda _: None)

    hashed, cheap = writer(), writer()
    way = Way(
        opener=Opener(keyring, EMBEDDED_CLIENTS, settings.namespace),
        masters=keyring.masters,
        tools=tools_of(database, hashes, policy, *readers_of(settings.issuer, keyring)),
        hashes=hashes,
        known=BatchLoader(known),
        let_go=letting_go(database),
        hashed=hashed,
        cheap=cheap,
        speaker=ear,
        finish=Granting(settings.issuer, keyring.sign),
        keys=KeyFollower(database, keyring, _NEVER),
        watch=Watch(Metrics()),
    )
    return way, (hashed, cheap)


@asynccontextmanager
async def written(writers: Iterable[Writer]) -> AsyncGenerator[None]:
    """They write for the length of the block."""
    tasks = [asyncio.create_task(each.run()) for each in writers]
    try:
        yield
    finally:
        for each in tasks:
            each.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


def _no_fence(_: Iterable[object]) -> dict[tuple[str, int], int]:
    return {}
