"""A bad input: what is sent, and the only ends that it may have."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Self
from uuid import UUID

from authbus import topics
from tests.rig.batches import Raw
from tests.rig.producing import Draft

if TYPE_CHECKING:
    from tests.fuzz.scene import Scene
    from tests.fuzz.stage import Stage

# What the broker says of what it does not take.
REFUSED = "refused by the broker"

Said = Sequence[str]
Deed = Callable[[str, str, int], Awaitable[None]]


@dataclass(frozen=True)
class Item:
    """One record, one batch as it is, or a deed of (servers, topic, partition), for a topic.

    `ids` are the commands whose answers count, `ends` the offsets from its first one at which dead
    letters do.
    """

    topic: topics.Topic
    what: Raw | bytes | Deed
    ids: tuple[UUID, ...] = ()
    ends: tuple[int, ...] = (0,)

    @classmethod
    def of(cls, draft: Draft) -> Self:
        suffix = draft.topic.partition(".")[2]
        topic = next(each for each in topics.COMMAND_TOPICS if each.suffix == suffix)
        return cls(topic, raw(draft), (draft.id,))


def raw(draft: Draft) -> Raw:
    headers = [(name.encode(), value) for name, value in draft.headers]
    return Raw(draft.value, draft.key, headers)


@dataclass(frozen=True)
class Ends:
    """How it may end: with one of these, or with exactly so many of each."""

    among: frozenset[str] = frozenset()
    exactly: tuple[str, ...] | None = None

    def __contains__(self, said: Said) -> bool:
        if self.exactly is not None:
            return Counter(said) == Counter(self.exactly)
        return len(said) == 1 and said[0] in self.among

    def __str__(self) -> str:
        if self.exactly is not None:
            return f"exactly {brief(self.exactly)}"
        return f"one of {', '.join(sorted(self.among))}"

    @property
    def least(self) -> int:
        return 1 if self.exactly is None else len(self.exactly)


def brief(said: Said) -> str:
    """Each with its number."""
    return ", ".join(f"{n} {each}" for each, n in sorted(Counter(said).items())) or "nothing"


def one(*among: str) -> Ends:
    return Ends(frozenset(among))


def each(*exactly: str) -> Ends:
    return Ends(exactly=exactly)


@dataclass(frozen=True)
class Try:
    """A case made anew: an id is good once."""

    items: Sequence[Item]
    ends: Ends

    @classmethod
    def of(cls, draft: Draft, *among: str) -> Self:
        return cls([Item.of(draft)], one(*among))


Make = Callable[["Scene"], Try]


@dataclass(frozen=True)
class Case:
    name: str
    make: Make


def quiet(_: "Stage") -> AbstractAsyncContextManager[None]:
    """Nothing is needed around it."""
    return nullcontext()


async def unasked(_: "Stage") -> list[str]:
    """Nothing more is to be looked at."""
    return []


@dataclass(frozen=True)
class Family:
    """A class of bad inputs. `named` are those worth a name, `more` makes others without end.

    `least` is how many a whole run needs; `abreast` how many go out between two looks, `apart` how
    many stand between two good records. What was found wrong afterwards, `looked` says.
    """

    name: str
    least: int
    named: Sequence[Case]
    more: Callable[[Random], Iterator[Case]] | None = None
    around: Callable[["Stage"], AbstractAsyncContextManager[None]] = quiet
    looked: Callable[["Stage"], Awaitable[list[str]]] = unasked
    abreast: int = 24
    apart: int = 1

    def cases(self, random: Random, count: int | None = None) -> Iterator[Case]:
        """All that have a name, then as many others as are left of `count`."""
        yield from self.named
        if self.more is not None:
            others = self.more(random)
            for _ in range(len(self.named), count or 0):
                yield next(others)


def table(cases: Iterable[tuple[str, Make]]) -> list[Case]:
    return [Case(name, make) for name, make in cases]
