"""A fault does what its name says: on which side of the broker, and for how long."""

import asyncio
from dataclasses import dataclass, field
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos.faults import Side
from tests.chaos.run.commits import Commits
from tests.chaos.run.nemesis import LONG_STOP, Nemesis
from tests.chaos.run.nodes import LONG_LOSS, Nodes
from tests.chaos.run.wire import LONG_HOLD, SHORT_HOLD, Wire


@dataclass
class Everything:
    """Whatever is struck, at once; `sides` are those of the strikes."""

    sides: list[Side] = field(default_factory=list[Side])
    requests: list[str] = field(default_factory=lambda: ["one"])
    was_committed: bool = True
    place: int = 1

    def __post_init__(self) -> None:
        self.struck = asyncio.Event()
        self.struck.set()
        self.net, self.proxy, self.nodes = self, self, [self]

    def cut_at(self, _: Any, *, side: Side) -> "Everything":
        self.sides.append(side)
        return self

    def hold(self, *_: Any, **__: Any) -> "Everything":
        return self

    def drop(self, *_: Any, side: Side, **__: Any) -> "Everything":
        return self.cut_at(None, side=side)

    def aim(self, _: bytes, __: Any, side: Side) -> "Everything":
        return self.cut_at(None, side=side)

    def send(self, _: Any) -> bool:
        return True

    def cut(self, *_: Any, **__: Any) -> None:
        """Of a network."""

    cut_from_peers = cut

    async def caught(self) -> None:
        """At once."""

    async def until_whole(self) -> None:
        """So is a cluster."""

    def lift(self) -> None:
        """There is nothing to be lifted."""

    release = lift


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each fault lasted, without waiting for it."""
    found = list[float]()

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return found


def faults(of: Any) -> Any:
    """Those of the wire, of COMMITs, of services and of nodes."""
    kafka = SimpleNamespace(proxy=None, cluster=None)
    stage: Any = SimpleNamespace(stack=None, kafka=kafka, disks=None, commits=of)
    of_services = Nemesis(stage, [of], Random(1)).faults
    return (
        of_services
        | Wire(of, "relay", Random(1)).faults
        | Commits(stage, Random(1)).faults
        | Nodes(of, Random(1)).faults
    )


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("cut before EndTxn", Side.REQUEST),
        ("cut after EndTxn", Side.RESPONSE),
        ("dead towards the broker", Side.REQUEST),
        ("dead from the broker", Side.RESPONSE),
        ("dead towards a node", Side.REQUEST),
        ("dead from a node", Side.RESPONSE),
        ("hold a group's COMMIT for long", Side.REQUEST),
        ("hold its answer for long", Side.RESPONSE),
    ],
)
async def test_a_name_says_on_which_side_it_strikes(
    name: str, side: Side, slept: list[float]
) -> None:
    of = Everything()

    assert await faults(of)[name]()

    assert of.sides == [side]
    assert len(slept) <= 1


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("hold EndTxn", LONG_HOLD),
        ("hold Produce of the relay", LONG_HOLD),
        ("hold AddPartitionsToTxn", LONG_HOLD),
        ("hold OffsetCommit", LONG_HOLD),
        ("hold a group's COMMIT", LONG_HOLD),
        ("hold its answer", LONG_HOLD),
        ("stop a service", LONG_STOP),
        ("cut a node off", LONG_LOSS),
        ("cut a node off from its peers", LONG_LOSS),
    ],
)
async def test_a_name_says_whether_it_lasts(
    name: str, span: tuple[float, float], slept: list[float]
) -> None:
    here = faults(Everything())
    for _ in range(20):
        assert await here[name]()
    short = slept.copy()
    for _ in range(20):
        assert await here[f"{name} for long"]()

    shortest, longest = span
    assert max(short) < shortest
    assert min(short) >= SHORT_HOLD[0]
    assert all(shortest <= each <= longest for each in slept[20:])
