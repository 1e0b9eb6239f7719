"""A writer whose groups are scripted."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import pytest
from pydantic import SecretStr

from authbus.commands import LogOut, RegisterUser
from authbus.replies import LoggedOut
from authbus_service.auth.proof import Claim, Proof
from authbus_service.consumers.group import Committed
from authbus_service.consumers.job import Decided, Job
from authbus_service.consumers.writer import Writer
from authbus_service.core.ids import new_id
from authbus_service.inbox.fence import Place
from authbus_service.inbox.repository import Handled
from tests.rig.made import NOW, a_job, a_request

ANSWER = Decided(LoggedOut(session_id=new_id()), NOW)
PLACE = ("commands.sessions.v1", 0)


class Groups:
    """Remembers each group that was tried; `rule` may raise, or leave jobs out."""

    def __init__(self) -> None:
        self.tried: list[list[Job]] = []
        self.waited: list[Job] = []
        self.rule: Callable[[Sequence[Job], bool], Sequence[Job]] = lambda jobs, _: jobs

    async def together(self, jobs: Sequence[Job], *, wait: bool = False) -> Committed:
        self.tried.append(list(jobs))
        if wait:
            self.waited += jobs
        await asyncio.sleep(0)
        done = self.rule(jobs, wait)
        return Committed(dict.fromkeys(done, ANSWER), fence={PLACE: len(self.tried)})

    @property
    def sizes(self) -> list[int]:
        return [len(group) for group in self.tried]


class World:
    def __init__(self) -> None:
        self.groups = Groups()
        self.known: dict[UUID, Handled] = {}
        self.known_errors: list[Exception] = []
        self.fences: list[Mapping[Place, int]] = []
        self.writer = Writer(
            self.groups,
            known=self.ask,
            committed=lambda done: self.fences.append(done.fence),
        )

    async def ask(self, ids: Sequence[UUID]) -> Mapping[UUID, Handled]:
        if self.known_errors:
            raise self.known_errors.pop(0)
        return {each: self.known[each] for each in ids if each in self.known}

    def put(self, *jobs: Job) -> None:
        for job in jobs:
            self.writer.put(job)

    async def results(self, *jobs: Job) -> list[object]:
        async with asyncio.timeout(5):
            return await asyncio.gather(*(job.result for job in jobs), return_exceptions=True)


@asynccontextmanager
async def at_work(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[World]:
    """A writer that waits for moments only before it tries again."""
    for name in ("_BACK_OFF", "_LONGEST_BACK_OFF"):
        monkeypatch.setattr(f"authbus_service.consumers.writer.{name}", 0.001)
    made = World()
    running = asyncio.create_task(made.writer.run())
    yield made
    assert not running.done(), "the writer has ended"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def a_log_out(id_: UUID | None = None) -> Job:
    return a_job(a_request(LogOut(session_id=new_id(), refresh_token=SecretStr("x")), id_=id_))


def a_register(address: str) -> Job:
    request = a_request(RegisterUser(email=address, password=SecretStr("x")))
    return a_job(request, Proof(claim=Claim(address.lower(), address), password_hash="phc"))


def handled(job: Job) -> Handled:
    return Handled(
        time=NOW,
        id=job.request.id,
        digest=b"",
        content=b"",
        master="",
        expires_at=datetime.now(UTC),
        handled_at=NOW,
        outcome={},
    )
