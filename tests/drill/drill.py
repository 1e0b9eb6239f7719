"""The drill: people live, PostgreSQL is lost, it is recovered, and nobody finds a difference."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal
from uuid import UUID

from authbus import Verifier
from authbus.topics import DEFAULT_NAMESPACE
from authbus_service.core.database import connect
from tests.drill.copies import a_standby, base_backup, replaced
from tests.drill.known import differences_of
from tests.drill.people import People, at_once
from tests.drill.said import Said, everything_said
from tests.drill.stage import Stage, a_stage
from tests.rig.accident import Tables, differences, tables

Accident = Literal["restore", "failover"]

_MOVES = 5
_LEAD_SECONDS = 2
_LOST_SECONDS = 2.0
_NOTICE_SECONDS = 30.0


@dataclass
class Findings:
    """What a drill did, and every difference that it found."""

    users: int = 0
    events: int = 0
    report: dict[str, Any] = field(default_factory=dict[str, Any])
    differences: list[str] = field(default_factory=list[str])


async def drill(accident: Accident, *, seed: int, users: int, folder: Path) -> Findings:
    """Run it once, with servers in this folder that end with it."""
    async with a_stage(folder) as stage, AsyncExitStack() as whole:
        run = Drill(stage, users, Random(seed), whole)
        await (run.restored() if accident == "restore" else run.failed_over())
        return run.found


@dataclass
class Drill:
    """One run. `whole` is left at its end: clients that live on over the accident."""

    stage: Stage
    users: int
    random: Random
    whole: AsyncExitStack
    found: Findings = field(default_factory=Findings)

    async def restored(self) -> None:
        """PostgreSQL is destroyed, and an older backup put in its place."""
        async with self.stage.serving("before") as service:
            people, verifier = await self._town(service.told)
            backup = base_backup(self.stage.stack, self.stage.folder / "backup")
            copy, _ = await asyncio.gather(backup, people.live(_MOVES))
            await self._much_happens(people)
        before, rows = await self._said(), await self._rows()
        await self.stage.stack.kill_postgres()
        await replaced(self.stage.stack, copy)
        await self._recovered()
        self.found.differences += differences(await self._rows(before), rows)
        async with self.stage.serving("after"):
            await people.live(_MOVES)
            await self._compared(people, verifier, before)

    async def failed_over(self) -> None:
        """A standby leads that lost the last commits, while everyone goes on asking."""
        stack, over = self.stage.stack, asyncio.Event()
        async with self.stage.serving("before") as service:
            people, verifier = await self._town(service.told)
            async with a_standby(stack, self.stage.folder / "standby") as standby:
                await self._much_happens(people)
                going_on = asyncio.create_task(people.go_on(over))
                await asyncio.sleep(_LOST_SECONDS)
                await standby.hears_no_more()
                await asyncio.sleep(_LOST_SECONDS)
                await stack.kill_postgres()
                await standby.leads()
            await replaced(stack, standby.data)
            await self._noticed()
        before = await self._said()
        await self._recovered()
        async with self.stage.serving("after"):
            over.set()
            await going_on
            await people.live(_MOVES)
            await self._compared(people, verifier, before)

    async def _town(self, told: dict[str, Any]) -> tuple[People, Verifier]:
        town, verifier = await self.whole.enter_async_context(self.stage.town(str(told["trust"])))
        people = People(town, self.random)
        await people.are_born(self.users)
        await people.live(_MOVES)
        return people, verifier

    async def _much_happens(self, people: People) -> None:
        """Races, erasures, new users and another key, beside everything else."""
        code, _, err = await self.stage.authbus("keys", "rotate", "--lead", str(_LEAD_SECONDS))
        assert code == 0, err
        await people.race(self.users // 10)
        await people.lose(self.users // 20)
        await people.are_born(self.users // 20)
        await people.live(_MOVES)

    async def _noticed(self) -> None:
        log = self.stage.folder / "before.log"
        async with asyncio.timeout(_NOTICE_SECONDS):
            while "authbus recover" not in log.read_text():  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.1)

    async def _recovered(self) -> None:
        code, out, err = await self.stage.authbus("recover")
        assert code == 0, err
        self.found.report = json.loads(out)
        self.found.differences += [f"lost: {each}" for each in self.found.report["lost"]]

    async def _compared(self, people: People, verifier: Verifier, before: Said) -> None:
        each = await at_once(differences_of(person, verifier) for person in people.all)
        self.found.differences += [found for of in each for found in of]
        after = await self._said()
        self.found.differences += after.faults()
        gone = [*(before.ids - after.ids), *(before.audited - after.audited)]
        self.found.differences += [f"what was said as {id_} is gone" for id_ in gone]
        self.found.users, self.found.events = len(people.all), after.ids.total()

    async def _said(self) -> Said:
        servers = self.stage.stack.addresses.bootstrap_servers
        return await everything_said(servers, DEFAULT_NAMESPACE)

    async def _rows(self, said: Said | None = None) -> Tables:
        """All that the events made."""
        said = said or await self._said()
        database = connect(self.stage.stack.addresses.database_url)
        try:
            return await tables(database, [UUID(each) for each in said.effects()])
        finally:
            await database.close()
