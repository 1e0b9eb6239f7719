"""A service's clock jumps by minutes, ahead or back, and is right again after a while."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random

from tests.chaos.run.clocks import ordered, seen
from tests.chaos.run.members import Member
from tests.chaos.run.stage import Stage
from tests.chaos.run.wire import Fault

# As long as these clients' commands are good.
JUMP = timedelta(minutes=5)
_JUMPS = {"set a clock ahead": JUMP, "set a clock back": -JUMP}
MENU = tuple(_JUMPS)
_WRONG_SECONDS = (2.0, 8.0)


@dataclass(frozen=True)
class Jumps:
    """Each of `faults` tells whether the process looked at its clock while that was wrong."""

    stage: Stage
    members: Sequence[Member]
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name."""
        return {name: partial(self._set, by) for name, by in _JUMPS.items()}

    async def _set(self, by: timedelta) -> bool:
        there = ordered(self.stage.orders, self.random.choice(self.members).name)
        seen(there).unlink(missing_ok=True)  # a last look at the jump before may have come late
        written = there.with_suffix(".new")
        written.write_text(str(by.total_seconds()), encoding="ascii")
        written.rename(there)
        try:
            await asyncio.sleep(self.random.uniform(*_WRONG_SECONDS))
        finally:
            there.unlink()
        with suppress(FileNotFoundError):
            seen(there).unlink()
            return True
        return False
