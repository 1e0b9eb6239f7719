"""A rate is never exceeded, whatever happens in between, and is reached when nothing does."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from authbus_service.replay.copying import Copy, Pace


@dataclass
class Clock:
    """A clock of its own, which goes on when somebody sleeps."""

    at: float = 100.0
    sent: list[float] = field(default_factory=list[float])

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += max(seconds, 0.0)

    async def send(self, pace: Pace, count: int, *, took: float = 0.0) -> None:
        """Send so many records, part by part, each of which takes so long."""
        for part in pace.parts([Copy(None, None, ())] * count):
            await pace.keep(len(part))
            self.sent += [self.at] * len(part)
            self.at += took

    def most_in_a_second(self) -> int:
        return max(sum(at <= each < at + 0.999 for each in self.sent) for at in set(self.sent))


@pytest.mark.parametrize(("rate", "count"), [(500.0, 2000), (20.0, 80), (8.0, 32), (0.5, 2)])
async def test_a_rate_is_reached_from_the_first_record_on_and_not_exceeded(
    rate: float, count: int
) -> None:
    clock = Clock()

    await clock.send(Pace(rate, clock.now, clock.sleep), count)

    part = max(int(rate / 10), 1)
    assert clock.sent[0] == 100.0
    assert clock.sent[-1] - 100.0 == pytest.approx((count - part) / rate)
    assert clock.most_in_a_second() <= max(rate, 1)


async def test_the_time_that_sending_takes_is_not_waited_for_again() -> None:
    clock = Clock()

    await clock.send(Pace(20.0, clock.now, clock.sleep), 80, took=0.09)

    assert clock.sent[-1] - 100.0 == pytest.approx(3.9)


async def test_what_a_pause_has_cost_is_not_made_good_by_a_burst() -> None:
    clock = Clock()
    pace = Pace(20.0, clock.now, clock.sleep)
    await clock.send(pace, 10)
    clock.at += 60

    await clock.send(pace, 200)

    assert clock.most_in_a_second() <= 20


async def test_without_a_rate_all_goes_at_once() -> None:
    clock, parts = Clock(), list[Sequence[Copy]]()
    pace = Pace(None, clock.now, clock.sleep)

    parts.extend(pace.parts([Copy(None, None, ())] * 3))
    await clock.send(pace, 3)

    assert [len(each) for each in parts] == [3]
    assert clock.sent == [100.0] * 3
