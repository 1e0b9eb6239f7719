"""Many persons at a time."""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from tests.drill.person import Person, Town

T = TypeVar("T")
_AT_ONCE = 32
PASSWORD = "correct horse battery"


@dataclass
class People:
    """Everyone who was ever born."""

    town: Town
    random: Random
    all: list[Person] = field(default_factory=list[Person])

    def _somebody(self, email: str) -> Person:
        return Person(self.town, Random(self.random.random()), email, PASSWORD)

    async def are_born(self, count: int) -> None:
        """So many more, each with a session."""
        first = len(self.all)
        new = [self._somebody(f"user{each}@example.com") for each in range(first, first + count)]
        await at_once(each.is_born() for each in new)
        self.all += new

    async def race(self, count: int) -> None:
        """For so many addresses two ask at once; one of them gets it."""
        first = len(self.all)
        pairs = [
            (self._somebody(email), self._somebody(email))
            for email in (f"raced{each}@example.com" for each in range(first, first + count))
        ]
        won = await at_once(each.is_born() for pair in pairs for each in pair)
        for number, pair in enumerate(pairs):
            winners = [each for each, got in zip(pair, won[2 * number :], strict=False) if got]
            assert len(winners) == 1, f"{len(winners)} have {pair[0].email}"
            self.all += winners

    async def live(self, moves: int, *, mails: bool = True) -> None:
        """All live on, a few at a time."""
        await at_once(each.lives(moves, mails=mails) for each in self.all)

    async def go_on(self, over: asyncio.Event) -> None:
        """A few at a time live on, without mails, until it is over."""
        resting = [each for each in self.all if not each.is_erased]

        async def one() -> None:
            while not over.is_set():
                person = resting.pop(self.random.randrange(len(resting)))
                await person.lives(1, mails=False)
                resting.append(person)

        await at_once(one() for _ in range(min(_AT_ONCE, len(resting) // 2)))

    async def lose(self, count: int) -> None:
        """So many are erased."""
        left = [each for each in self.all if not each.is_erased]
        await at_once(each.is_erased_now() for each in self.random.sample(left, count))


async def at_once(work: Iterable[Awaitable[T]]) -> list[T]:
    """Do all of it, a few at a time; the results are in its order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def in_turn(one: Awaitable[T]) -> T:
        async with places:
            return await one

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(in_turn(each)) for each in work]
    return [each.result() for each in tasks]
