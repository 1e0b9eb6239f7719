"""Whom a fault strikes."""

# pyright: reportPrivateUsage=false

import asyncio
import signal
from dataclasses import dataclass
from random import Random
from time import monotonic
from typing import Any

import pytest

from tests.chaos.run.nemesis import Nemesis


@dataclass
class Member:
    """A process that runs again once somebody has waited for it; `book` is of all of them."""

    name: str
    book: list[str]
    is_up: bool = True

    def end_by(self, which: signal.Signals, rest: float = 0.0) -> bool:
        self.book.append(f"{self.name} {which.name} {rest}")
        was_up, self.is_up = self.is_up, False
        return was_up

    async def until_up(self, within: float) -> None:
        assert within
        self.book += [] if self.is_up else [f"{self.name} is up"]
        self.is_up = True


async def test_a_rolling_restart_ends_each_member_once_the_one_before_runs_again() -> None:
    book = list[str]()
    members: list[Any] = [Member(name, book) for name in ("one", "two", "three")]
    members[1].is_up = False
    stage: Any = None
    nemesis = Nemesis(stage, members, Random(7))

    assert await nemesis._restart_all()

    ends = [each.split()[0] for each in book if each.endswith("SIGTERM 0.0")]
    assert sorted(ends) == ["one", "three", "two"]
    ups = [f"{name} is up" for name in ends]
    after = [book[book.index(f"{name} SIGTERM 0.0") + 1] for name in ends]
    assert after == ups
    assert book[book.index("two SIGTERM 0.0") - 1] == "two is up"


async def test_no_fault_begins_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    began = list[float]()

    async def strikes() -> bool:
        began.append(monotonic())
        return True

    monkeypatch.setattr(Nemesis, "faults", {"cut all": strikes})
    nothing: Any = None

    await Nemesis(nothing, [], Random(7)).strike(("cut all",), monotonic() + 0.01)

    assert began == []


async def test_a_lane_that_somebody_else_cancels_is_an_error_and_not_a_calm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def cancelled() -> bool:
        raise asyncio.CancelledError

    monkeypatch.setattr(Nemesis, "faults", {"cut all": cancelled})
    nothing: Any = None

    with pytest.raises(RuntimeError, match="before its time"):
        await Nemesis(nothing, [], Random(7)).strike(("cut all",), monotonic() + 9)
