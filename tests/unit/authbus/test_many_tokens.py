"""More tokens than are remembered, also from several threads: endpoints that wait run in some."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.authbus.test_tokens import World, a_token

KEPT = 4096


class Raced(dict[str, object]):
    """Whatever is to be forgotten, another thread has forgotten already."""

    def __iter__(self) -> Iterator[str]:
        first = next(super().__iter__())
        del self[first]
        yield first


@pytest.fixture
def impatient() -> Iterator[None]:
    """Threads take turns as often as they can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def test_many_tokens_do_not_fill_the_memory() -> None:
    world = World()
    for number in range(KEPT + 1000):
        world.checker.verify(a_token(jti=str(number)))

    assert len(world.checker._known) <= KEPT  # pyright: ignore[reportPrivateUsage]


def test_a_token_that_two_threads_forget_at_a_time_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    full = Raced({str(number): None for number in range(KEPT)})
    monkeypatch.setattr(world.checker, "_known", full)

    assert world.checker.verify(a_token())


@pytest.mark.usefixtures("impatient")
def test_threads_check_more_tokens_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authbus.tokens._KEPT", 4)
    world = World()
    tokens = [a_token(jti=str(number)) for number in range(400)]

    with ThreadPoolExecutor(8) as threads:
        claims = list(threads.map(world.checker.verify, tokens))

    assert len(claims) == len(tokens)
