"""Who is ended by the watchdog, and who may wait."""

# pyright: reportPrivateUsage=false

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import chain, repeat

import pytest

from authbus_service.core import watchdog
from authbus_service.core.watchdog import Part, StalledError, Watchdog

PATIENCE = 0.2


@dataclass
class Situation:
    """What the watchdog finds; a test changes it."""

    steps: Callable[[], bool] = lambda: False
    waits: bool = True
    answers: Callable[[], bool] = lambda: True
    sign: int = 0
    ended: list[float] = field(default_factory=list[float])

    async def run(self, seconds: float) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watchdog, "end_after", self.ended.append)
            part = Part("the part", self._sign, self._waits)
            async with asyncio.timeout(seconds):
                await Watchdog([part], self._answer, PATIENCE).run()

    def _sign(self) -> int:
        self.sign += self.steps()
        return self.sign

    async def _waits(self) -> bool:
        return self.waits

    async def _answer(self) -> bool:
        return self.answers()


def after(seconds: float) -> Callable[[], bool]:
    """True from then on."""
    loop = asyncio.get_running_loop()
    at = loop.time() + seconds
    return lambda: loop.time() >= at


async def test_what_stands_still_while_work_waits_is_ended_and_named() -> None:
    found = Situation()

    with pytest.raises(StalledError, match="the part makes no progress for 0 s while work waits"):
        await found.run(5)

    assert found.ended == [watchdog._END_SECONDS]


async def test_what_has_nothing_to_do_is_left_alone() -> None:
    with pytest.raises(TimeoutError):
        await Situation(waits=False).run(4 * PATIENCE)


async def test_what_goes_on_however_slowly_is_left_alone() -> None:
    with pytest.raises(TimeoutError):
        await Situation(steps=lambda: True).run(4 * PATIENCE)


async def test_while_kafka_or_postgresql_is_away_waiting_is_right() -> None:
    with pytest.raises(TimeoutError):
        await Situation(answers=lambda: False).run(4 * PATIENCE)


async def test_a_process_that_was_stopped_has_looks_enough_to_go_on() -> None:
    # A sign is asked for once at the first look, twice at the next two; then there are steps.
    steps = chain(repeat(False, 5), repeat(True))
    pauses = chain([2 * PATIENCE], repeat(0.0))

    def answers() -> bool:
        time.sleep(next(pauses))  # all stands still, as after SIGSTOP
        return True

    with pytest.raises(TimeoutError):
        await Situation(steps=lambda: next(steps), answers=answers).run(5 * PATIENCE)


async def test_once_they_are_back_there_is_all_the_time_again() -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()

    with pytest.raises(StalledError):
        await Situation(answers=after(2 * PATIENCE)).run(5)

    assert loop.time() - began >= 3 * PATIENCE - PATIENCE / 4
