"""Whatever is sent has the one end that it should have, and all beside it goes on."""

import asyncio
import os
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz import driving
from tests.fuzz.__main__ import run
from tests.fuzz.case import Case, Family, Item, Try, each, one
from tests.fuzz.corpus.batches import BOMBS, ROWS
from tests.fuzz.corpus.classes import CLASSES
from tests.fuzz.corpus.database import DATABASE
from tests.fuzz.corpus.mutations import MUTATIONS
from tests.fuzz.driving import STALL, calibrate, drive
from tests.fuzz.looking import looked
from tests.fuzz.report import page
from tests.fuzz.scene import ENDED, Scene
from tests.fuzz.stage import Stage
from tests.rig.nights import seed_of_the_night


def quick(family: Family) -> Family:
    """Of those with a name each third, and bombs, also in a row; `make fuzz` sends all."""
    if family is DATABASE:
        return family
    chosen = [each for n, each in enumerate(family.named) if n % 3 == 0 or each in (*BOMBS, *ROWS)]
    return replace(family, named=chosen)


def test_a_bomb_of_each_codec_is_among_the_third() -> None:
    quickly = {each.name for family in CLASSES for each in quick(family).named}

    assert {f"{codec}: 10 MiB" for codec in ("gzip", "snappy", "lz4", "zstd")} <= quickly


async def test_a_third_of_all_bad_inputs_have_their_one_end_and_good_ones_beside_them_are_answered(
    stage: Stage,
) -> None:
    # What a service does for the first time is not what is timed.
    await calibrate(stage)

    results = [
        await drive(stage, quick(each), "fast", 40 if each is MUTATIONS else None)
        for each in CLASSES
    ]

    assert [wrong for each in results for wrong in (*each.wrong, *each.void)] == []
    assert await looked(stage) == []
    assert all(each.outcomes for each in results)


@pytest.mark.slow
async def test_what_is_expected_wrongly_is_found_in_each_way(stage: Stage) -> None:
    def twice(scene: Scene) -> Try:
        item = Item.of(scene.log_out())
        return Try([item, item], one(ENDED))

    def unheard(scene: Scene) -> Try:
        made = Item.of(scene.log_out())
        return Try([replace(made, ids=())], each())

    cases = [
        Case("another end", lambda scene: Try.of(scene.log_out(), "bad_seal")),
        Case("two ends", twice),
        Case("an end that nobody waits for", unheard),
    ]

    result = await drive(stage, Family("wrong", 3, cases), "any")

    found = "\n".join(result.wrong)
    assert "another end, alone: 1 invalid_token, not one of bad_seal" in found
    assert "two ends, between good ones: 2 invalid_token, not one of invalid_token" in found
    said_of_nothing = next(each for each in result.wrong if each.startswith("said of nothing"))
    assert "2 invalid_token" in said_of_nothing
    assert len(result.wrong) == 5


@pytest.mark.parametrize(
    ("stalls", "alone", "again", "void", "wrong"),
    [
        # How often it stalls, and how long good records alone take each time.
        pytest.param(1, [0.1], 0, 0, 2, id="a quick machine", marks=pytest.mark.slow),
        pytest.param(3, [0.5, 0.5, 0.5], 3, 1, 0, id="a slow one", marks=pytest.mark.slow),
        pytest.param(1, [0.5], 1, 0, 0, id="one that was slow once", marks=pytest.mark.nightly),
    ],
)
async def test_a_stall_is_one_on_a_machine_that_is_quick_enough_and_void_on_one_that_is_not(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    stalls: int,
    alone: list[float],
    again: int,
    void: int,
    wrong: int,
) -> None:
    pid, later = stage.process.child.pid, asyncio.get_running_loop().call_later
    # A case is made twice each time that it is sent: to go alone, and between good records.
    left = [STALL + 0.5] * stalls * 2

    async def measured(_: Stage) -> float:
        return alone.pop(0)

    def stopped(scene: Scene) -> Try:
        if left:
            os.kill(pid, signal.SIGSTOP)
            later(left.pop(), os.kill, pid, signal.SIGCONT)
        return Try.of(scene.log_out(), ENDED)

    monkeypatch.setattr(driving, "calibrate", measured)

    result = await drive(stage, Family("stalls", 1, [Case("stopped", stopped)]), "any")

    assert alone == []
    assert [each for each in result.wrong if "record waited " not in each] == []
    assert (result.again, len(result.void), len(result.wrong)) == (again, void, wrong)
    assert all("the machine is too slow to tell a stall" in each for each in result.void)


@pytest.mark.nightly
@pytest.mark.timeout(4 * 3600)
async def test_the_full_counts_of_bad_inputs_have_no_other_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = seed_of_the_night()
    with capsys.disabled():
        sys.stdout.write(f"\nbad inputs by the seed {seed}\n")
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - at once
        told = await run(CLASSES, seed, Path(folder), by_chance=200_000)

    assert told["verdict"] == "green", page(told)
