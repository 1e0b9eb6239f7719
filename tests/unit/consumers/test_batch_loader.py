"""Many who wait for an answer are one question."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from authbus_service.consumers.batch_loader import BatchLoader


class Asked:
    """Answers with the key's length, one question each time the gate is opened."""

    def __init__(self) -> None:
        self.questions: list[list[str]] = []
        self.gate = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, keys: Sequence[str]) -> Mapping[str, int]:
        self.questions.append(list(keys))
        await self.gate.acquire()
        if self.error is not None:
            raise self.error
        return {key: len(key) for key in keys if key != "unknown"}


async def asking(loader: BatchLoader[str, int], *keys: str) -> list[asyncio.Task[int | None]]:
    async def ask(key: str) -> int | None:
        return await loader(key)

    tasks = [asyncio.create_task(ask(key)) for key in keys]
    await asyncio.sleep(0.001)
    return tasks


async def test_while_one_question_is_under_way_the_next_ones_gather_into_one() -> None:
    ask = Asked()
    loader = BatchLoader(ask)

    first = await asking(loader, "a")
    later = await asking(loader, "bb", "ccc", "bb", "unknown")
    assert ask.questions == [["a"]]
    ask.gate.release()
    await asyncio.gather(*first)
    ask.gate.release()

    assert await asyncio.gather(*later) == [2, 3, 2, None]
    assert ask.questions == [["a"], ["bb", "ccc", "unknown"]]


async def test_an_answer_is_never_older_than_the_question() -> None:
    ask = Asked()
    loader = BatchLoader(ask)

    await asking(loader, "a")
    again = await asking(loader, "a")
    ask.gate.release()
    ask.gate.release()
    await asyncio.gather(*again)

    assert ask.questions == [["a"], ["a"]]


async def test_a_failure_reaches_each_who_asked_and_nobody_who_asks_later() -> None:
    ask = Asked()
    loader = BatchLoader(ask)

    tasks = await asking(loader, "a")
    tasks += await asking(loader, "b", "c")
    ask.error = ConnectionResetError()
    ask.gate.release()
    ask.gate.release()
    failed = await asyncio.gather(*tasks, return_exceptions=True)
    ask.error = None
    ask.gate.release()

    assert [type(each) for each in failed] == [ConnectionResetError] * 3
    assert await loader("dd") == 2


async def test_one_who_stops_waiting_harms_nobody() -> None:
    ask = Asked()
    loader = BatchLoader(ask)

    first, same, other = await asking(loader, "a", "a", "bb")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    ask.gate.release()
    ask.gate.release()

    assert await asyncio.gather(same, other) == [1, 2]
    assert await gathered_alone(loader, ask, "ccc") == 3


async def test_the_last_who_stops_waiting_stops_nothing_for_the_next() -> None:
    ask = Asked()
    loader = BatchLoader(ask)

    (only,) = await asking(loader, "a")
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    ask.gate.release()

    assert await gathered_alone(loader, ask, "bb") == 2


async def gathered_alone(loader: BatchLoader[str, int], ask: Asked, key: str) -> int | None:
    ask.gate.release()
    return await loader(key)
