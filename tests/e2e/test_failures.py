"""What operators are told of each part that is down, done to that part."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from authbus import Verifier
from authbus.verifier import MAX_STALENESS
from authbus_service.consumers import subscriber
from authbus_service.core.database import Database
from authbus_service.embedded import EmbeddedStack
from tests.rig.breaking import BREAKS, Place, a_place
from tests.rig.failing import fresh, until

PAGE = Path(__file__).resolve().parents[2] / "README.md"
CHECK = "offline check of a token"
WORKS, STALE = "works", f"works for {MAX_STALENESS:.0f} s, then refused"
BACK = "waits until it is back"
# Sooner than usual, so that a test need not wait for it. The table names what is usual.
MISSED_AFTER = 2.0
SOONER = subscriber._SESSION_MS / 1000 - MISSED_AFTER
LOOK, PROMPT, PATIENCE = 1.0, 5.0, 20.0


def table() -> dict[str, dict[str, str]]:
    """The table: what is down -> what is done -> what comes of it."""
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition("### While a part is down\n")[2].partition("\n#")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    head, _, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


def seconds(cell: str) -> float:
    """The number in a cell that ends in `13 s` or the like."""
    return float(cell.removesuffix(" at most").removesuffix(" s").rpartition(" ")[2])


async def during(cell: str, task: "asyncio.Task[Any]") -> str:
    """What becomes of it while the part is down."""
    if cell != WORKS:
        await asyncio.sleep(LOOK)
        if task.done():
            return WORKS
    if cell.startswith(BACK):
        return cell
    limit = PROMPT if cell == WORKS else seconds(cell) - SOONER - LOOK
    await asyncio.wait([task], timeout=limit)
    return cell if task.done() else f"waits more than {limit} s"


async def after(cell: str, task: "asyncio.Task[Any]") -> str:
    """What becomes of it once the part is back."""
    await asyncio.wait([task], timeout=seconds(cell))
    return cell if task.done() else "waits on"


async def checked(cell: str, place: Place, token: str) -> str:
    """What becomes of offline checks while the part is down."""
    assert fresh(place.usual, token)
    if cell == STALE:
        await until(lambda: not fresh(place.usual, token), within=MAX_STALENESS + LOOK)
        assert fresh(place.lax, token)
    return cell


async def aging(verifier: Verifier, ages: list[timedelta]) -> None:
    """Note how old its knowledge of ended sessions is, again and again."""
    while True:
        ages.append(verifier.staleness)
        await asyncio.sleep(0.02)


async def seen(down: str, cells: Mapping[str, str], place: Place) -> dict[str, str]:
    """The cells of a row, each as it is written, or else what was seen instead."""
    token, ages = place.users.to_refresh[0].access_token, list[timedelta]()
    await until(lambda: fresh(place.usual, token), within=PATIENCE)
    watch = asyncio.create_task(aging(place.usual, ages))
    async with BREAKS[down](place):
        asked = place.users.asked()
        checks = asyncio.create_task(checked(cells[CHECK], place, token))
        done = await asyncio.gather(*(during(cells[each], asked[each]) for each in asked))
        found = {**dict(zip(asked, done, strict=True)), CHECK: await checks}
    for each, task in asked.items():
        if found[each].startswith(BACK):
            found[each] = await after(cells[each], task)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    if cells[CHECK] == WORKS and max(ages).total_seconds() > MAX_STALENESS:
        found[CHECK] = f"is refused, since the feed was {max(ages)} old"
    await place.users.settled(asked)
    return found


@pytest.mark.gate
@pytest.mark.timeout(300)
async def test_while_a_part_is_down_all_is_as_operators_are_told(
    stack: EmbeddedStack, database: Database, settings: Mapping[str, str], tmp_path: Path
) -> None:
    expected = table()
    assert expected.keys() == BREAKS.keys()

    async with a_place(stack, database, settings, tmp_path, missed_after=MISSED_AFTER) as place:
        found = {down: await seen(down, cells, place) for down, cells in expected.items()}

    assert found == expected


def test_a_killed_process_is_missed_as_soon_as_the_table_says() -> None:
    missed = ceil((subscriber._SESSION_MS + subscriber._HEARTBEAT_MS) / 1000 + 2)
    row = table()["one process of the service"]

    assert {seconds(cell) for cell in row.values() if cell != WORKS} == {missed}
