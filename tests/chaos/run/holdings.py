"""What the services hold: memory and open files over the time, and what is left at rest."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import psutil

from tests.chaos.checker.history import Held, Samples
from tests.chaos.run.members import Member
from tests.chaos.run.stage import Stage

_PAUSE = 2.0
# A process fills its caches and pools first; on a short life no line can be laid.
_WARM_SECONDS, _LIFE_SECONDS = 120.0, 900.0
_MEGABYTE = 1_048_576
_MOST_PER_HOUR = {"MB": 60.0, "open files": 30.0}
_MOST_AT_REST = {"MB": 300.0, "open files": 100.0}
_LEFT_OPEN = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'authbus'
AND state LIKE 'idle in transaction%' AND state_change < clock_timestamp() - interval '5 seconds'
"""
Points = list[tuple[float, float]]


@dataclass
class Holdings:
    """`lives` are by process id and by what is held."""

    members: Sequence[Member]
    lives: dict[tuple[int, str], Points] = field(
        default_factory=lambda: defaultdict[tuple[int, str], Points](list)
    )

    async def go_on(self) -> None:
        """Look again and again; never returns."""
        while True:
            self.look()
            await asyncio.sleep(_PAUSE)

    def look(self) -> None:
        """Note what each process that runs holds now."""
        for member in self.members:
            with suppress(psutil.Error):
                process, at = psutil.Process(member.pid), monotonic()
                self.lives[member.pid, "MB"].append((at, process.memory_info().rss / _MEGABYTE))
                self.lives[member.pid, "open files"].append((at, float(process.num_fds())))

    def samples(self) -> tuple[Samples, ...]:
        """Of each life that was long enough, without its beginning."""
        return tuple(
            Samples(f"{what} of {pid}", warm, _MOST_PER_HOUR[what])
            for (pid, what), points in self.lives.items()
            if (warm := _warm(points)) and warm[-1][0] - warm[0][0] >= _LIFE_SECONDS
        )

    async def at_rest(self, stage: Stage) -> tuple[Held, ...]:
        """What is left when nothing is to be done."""
        self.look()
        held = [
            Held(f"{what} of {member.pid}", self.lives[member.pid, what][-1][1], most)
            for member in self.members
            for what, most in _MOST_AT_REST.items()
        ]
        async with stage.database() as db:
            rows = await db.fetchval("SELECT count(*) FROM outbox")
            open_ = await db.fetchval(_LEFT_OPEN)
        return (*held, Held("rows in the outbox", rows, 0), Held("open transactions", open_, 0))


def _warm(points: Points) -> tuple[tuple[float, float], ...]:
    return tuple(each for each in points if each[0] >= points[0][0] + _WARM_SECONDS)
