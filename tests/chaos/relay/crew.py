"""Two relays in processes of their own: one leads, one stands by; and what can be done to them."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from sqlalchemy import select

from authbus_service.relay.models import RelayLease
from tests.chaos.relay import runner
from tests.chaos.relay.runner import Orders
from tests.integration.relay.world import World
from tests.rig import programs

SETTLED = "what was said before is deleted"
LEADS = "the relay leads"
STARTS_OVER = "the relay starts over"
_PATIENCE = 20.0


class Child:
    """One process and the lines that it wrote."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.lines: list[Mapping[str, Any]] = []
        self._news = asyncio.Condition()
        self._process: programs.Program | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._process = await programs.start(
            self.orders.model_dump_json(),
            module=runner.__name__,
            environment=os.environ,
            folder=Path.cwd(),
        )
        self._reading = asyncio.create_task(self._read())
        await self.says("stands by")

    def send(self, which: signal.Signals) -> None:
        """Send it a signal, if it lives."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(which)

    async def end(self) -> None:
        """Kill it, also while it is stopped, and wait for its end."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()
        if self._reading is not None:
            await self._reading

    async def says(
        self, event: str, since: int = 0, *, within: float = _PATIENCE
    ) -> Mapping[str, Any]:
        """The first line with this event from line number `since` on."""

        def found() -> Mapping[str, Any] | None:
            return next((line for line in self.lines[since:] if line["event"] == event), None)

        async with asyncio.timeout(within), self._news:
            return await self._news.wait_for(found) or {}

    async def _read(self) -> None:
        assert self._process is not None
        async for line in self._process.stdout:
            self.lines.append(json.loads(line))
            async with self._news:
                self._news.notify_all()


class Crew:
    """Keeps two relays running; `caught` counts kills between Kafka's commit and the delete."""

    def __init__(self, world: World, *, lease_seconds: float, remembers: bool = True) -> None:
        self.caught = 0
        self._world = world
        self._lease_seconds = lease_seconds
        self._remembers = remembers
        self._children: dict[UUID, Child] = {}

    async def __aenter__(self) -> Self:
        await asyncio.gather(self.hire(), self.hire())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await asyncio.gather(*(child.end() for child in self._children.values()))

    async def hire(self) -> None:
        """One more relay."""
        url = self._world.database.engine.url.render_as_string(hide_password=False)
        child = Child(
            Orders(
                database_url=url,
                servers=self._world.servers,
                namespace=self._world.namespace,
                epoch=self._world.epoch,
                holder=uuid4(),
                lease_seconds=self._lease_seconds,
                remembers=self._remembers,
            )
        )
        self._children[child.orders.holder] = child
        await child.start()

    async def kill_the_leader(self, point: str) -> None:
        """SIGKILL at the next time that it is there; then the other leads and a third comes."""
        leader, since = await self._leader_at(point)
        leader.send(signal.SIGKILL)
        del self._children[leader.orders.holder]
        await asyncio.gather(leader.end(), self._leader(since), self.hire())
        if self._remembers:
            settled = await self._first(SETTLED, since)
            self.caught += settled["rows"] > 0

    async def freeze_the_leader(self, point: str) -> None:
        """SIGSTOP until the other has led for a while, then SIGCONT; the sleeper must give in."""
        leader, since = await self._leader_at(point)
        leader.send(signal.SIGSTOP)
        slept_at = len(leader.lines)
        successor = await self._leader(since, other_than=leader)
        await successor.says("has deleted", since.get(successor, 0))
        leader.send(signal.SIGCONT)
        await leader.says(STARTS_OVER, slept_at)

    async def _leader_at(self, point: str) -> tuple[Child, Mapping[Child, int]]:
        """The leader when it comes to a point, and how far every child had spoken before.

        On a busy machine it may lose its lease on the way: then it is who leads instead.
        """
        async with asyncio.timeout(_PATIENCE):
            while True:
                leader = await self._leader({})
                with suppress(TimeoutError):
                    await leader.says("has deleted", within=_PATIENCE / 4)
                    since = {child: len(child.lines) for child in self._children.values()}
                    await leader.says(point, since[leader], within=_PATIENCE / 4)
                    return leader, since

    async def _first(self, event: str, since: Mapping[Child, int]) -> Mapping[str, Any]:
        """Whose line comes first: who leads next may lose the lease on the way, to the other."""
        saying = [
            asyncio.create_task(child.says(event, since.get(child, 0)))
            for child in self._children.values()
        ]
        try:
            done, _ = await asyncio.wait(saying, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().result()
        finally:
            for each in saying:
                each.cancel()
            await asyncio.gather(*saying, return_exceptions=True)

    async def _leader(self, since: Mapping[Child, int], other_than: Child | None = None) -> Child:
        """Who holds the lease and has said, after `since`, that it leads."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                child = self._children.get(await self._holder() or uuid4())
                if child is not None and child is not other_than:
                    await child.says(LEADS, since.get(child, 0))
                    return child
                await asyncio.sleep(0.02)

    async def _holder(self) -> UUID | None:
        async with self._world.database.reading() as db:
            return await db.scalar(select(RelayLease.holder))
