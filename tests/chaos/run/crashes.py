"""Kills of a service at a named point of its work; see `points`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tests.chaos.run.members import Member
from tests.chaos.run.points import POINTS, RELAY, order
from tests.chaos.run.stage import Stage
from tests.chaos.run.wire import Fault

_NAME = "kill {}"
MENU = tuple(_NAME.format(each) for each in POINTS)
OF_THE_RELAY = tuple(_NAME.format(each) for each in RELAY)
# How long until somebody comes by, and until another is in the place of who died.
_COMES_SECONDS, _UP_SECONDS = 6.0, 60.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Crashes:
    """Each of `faults` tells whether a process came by."""

    stage: Stage
    members: Sequence[Member]

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name."""
        return {_NAME.format(each): partial(self._kill, each) for each in POINTS}

    async def _kill(self, point: str) -> bool:
        there = order(self.stage.orders, point)
        there.touch()
        for _ in range(int(_COMES_SECONDS / _LOOK_SECONDS)):
            if not there.exists():
                break
            await asyncio.sleep(_LOOK_SECONDS)
        else:
            there.unlink(missing_ok=True)
        if not (dead := self._dead(point)):
            return False
        async with asyncio.timeout(_UP_SECONDS):
            for each in self.members:
                await each.until_another_than(dead)
        return True

    def _dead(self, point: str) -> set[int]:
        """Who took the order, by process id; it is told once."""
        found = set[int]()
        for each in self.stage.orders.glob(f"{order(self.stage.orders, point).name}.*"):
            found.add(int(each.suffix.removeprefix(".")))
            each.rename(each.with_name(f"done.{each.name}"))
        return found
