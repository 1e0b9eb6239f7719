"""Figures stand in their page as the command prints them, so that nobody has to write them anew."""

import re
from pathlib import Path

import pytest

from tests.benchmarks import replay

PLACE = r"<!-- bench-replay: what python -m (\S+) prints -->\n\n(.*?)\n\n<!-- /bench-replay -->"
TOOK = r"([\d.]+) s = ([\d,]+)/s"
CPU = r"command \d+, service \d+, kafka \d+, postgres \d+"
ROW = rf"\| ([a-z ]+) \| ([\d,]+) \| {TOOK} \| {TOOK} \| {CPU} \|"


def test_what_replays_take_stands_as_it_was_printed(repository: Path) -> None:
    text = (repository / "deploy/figures.md").read_text(encoding="utf-8")
    ((module, shown),) = re.findall(PLACE, text, re.DOTALL)
    head, _, *lines = shown.splitlines()

    rows = [found.groups() for line in lines if (found := re.fullmatch(ROW, line))]

    assert (module, head) == (replay.__name__, replay.HEAD)
    assert [row[0] for row in rows] == ["commands that were handled", "events copied"]
    assert len(rows) == len(lines)
    for _, *numbers in rows:
        records, *times = (float(each.replace(",", "")) for each in numbers)
        for seconds, rate in (times[:2], times[2:]):
            assert records / rate == pytest.approx(seconds, abs=0.051)
