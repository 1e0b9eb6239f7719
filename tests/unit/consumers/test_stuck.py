"""For how long the lowest record of a partition has been unfinished: what readiness goes by."""

import pytest

from authbus_service.consumers import progress as module
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.progress import Progress
from tests.unit.consumers.laning import Handler, Source, keyed, settled


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


async def test_a_slow_lane_of_many_records_that_keeps_finishing_is_not_stuck(clock: Clock) -> None:
    handler, progress = Handler(), Progress()
    await Lanes(handler, progress).feed(keyed("a" * 100), Source())
    seen: list[tuple[int, float]] = []

    for offset in range(100):
        await settled()
        clock.now += 1
        seen += [(each.offset, each.seconds) for each in progress.oldest()]
        handler.release(offset)

    assert seen == [(offset, 1.0) for offset in range(100)]


async def test_a_head_that_does_not_end_is_stuck_also_while_its_neighbours_finish(
    clock: Clock,
) -> None:
    handler, progress = Handler(), Progress()
    await Lanes(handler, progress).feed(keyed("a" + "b" * 60), Source())

    for offset in range(1, 61):
        await settled()
        clock.now += 1
        handler.release(offset)
    await settled()

    assert [(each.offset, each.seconds) for each in progress.oldest()] == [(0, 60.0)]
