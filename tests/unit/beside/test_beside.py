"""One part is written while the next one is read, and none is left behind."""

import asyncio

import pytest

from authbus_service.core.beside import beside


async def test_a_part_begins_once_the_one_before_is_done_and_the_last_is_waited_for() -> None:
    told: list[str] = []

    async def work(part: str) -> None:
        told.append(f"{part} begins")
        await asyncio.sleep(0)
        told.append(f"{part} ends")

    async with beside(work) as start:
        await start("a")
        await start("b")
        told.append("read")

    assert told == ["a begins", "a ends", "read", "b begins", "b ends"]


async def test_the_part_at_work_has_ended_when_its_caller_fails() -> None:
    told: list[str] = []

    async def work(part: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append(part)

    async def fail() -> None:
        async with beside(work) as start:
            await start("a")
            await asyncio.sleep(0)
            raise ValueError("read")

    with pytest.raises(ValueError, match="read"):
        await fail()

    assert told == ["a"]
