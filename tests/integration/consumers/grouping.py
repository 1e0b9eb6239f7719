"""Groups on a real database, without Kafka."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from authbus.commands import AnyCommand
from authbus_service.auth.handlers import prepare
from authbus_service.auth.proof import Policy, Tools
from authbus_service.auth.roles.roles import BUILT_IN, Roles
from authbus_service.consumers.group import Grouping
from authbus_service.consumers.job import Decided, Job
from authbus_service.consumers.questions import tools_of
from authbus_service.consumers.writer import Writer
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.inbox import repository as inbox
from tests.rig.made import POLICY as USUAL
from tests.rig.made import a_job, a_request

PLACE = ("commands.credentials.v1", 0)
ROLES = Roles({**BUILT_IN.declared, "clerk": frozenset({"orders:write"})})
POLICY = replace(USUAL, roles=ROLES)


class Group:
    """A writer on a database, without Kafka; prepares jobs as the way of a command does."""

    def __init__(self, database: Database, hashes: HashPool, policy: Policy = POLICY) -> None:
        self.database = database
        self.hashes = hashes
        self.policy = policy
        self.told: list[Any] = []
        self.grouping = Grouping(database, policy, self.below)
        self.writer = Writer(
            self.grouping,
            known=self.known,
            committed=lambda done: self.told.append(done.fence),
        )

    def below(self, jobs: Iterable[Job]) -> dict[tuple[str, int], int]:
        return {PLACE: max(job.arrival.offset for job in jobs) + 1}

    async def known(self, ids: Any) -> Any:
        async with self.database.reading() as db:
            return await inbox.known(db, ids)

    async def job(self, command: AnyCommand, *, offset: int = 0, **changes: Any) -> Job:
        request = replace(a_request(command), **changes)
        return a_job(request, await prepare(request, self.tools), offset=offset)

    async def done(self, *jobs: Job) -> list[Any]:
        for job in jobs:
            self.writer.put(job)
        return await self.results(*jobs)

    async def results(self, *jobs: Job) -> list[Any]:
        async with asyncio.timeout(10):
            results = await asyncio.gather(*(job.result for job in jobs), return_exceptions=True)
        return [each.answer if isinstance(each, Decided) else each for each in results]

    @property
    def tools(self) -> Tools:
        return tools_of(self.database, self.hashes, self.policy, lambda _: None)

    async def scalar(self, sql: str) -> Any:
        async with self.database.reading() as db:
            return await db.scalar(text(sql))
