"""Figures stand in their page as the command prints them, so that nobody has to write them anew."""

import re
from pathlib import Path

import pytest

from tests.benchmarks import replay

PLACE = r"<!-- bench-replay: what python -m (\S+) prints -->\n\n(.*?)\n\n<!-- /bench-replay -->"
TOOK = r"([\d.]+) s = ([\d,]+)/s"
CPU = r"command \d+, service \d+, kafka \d+, postgres \d+"
ROW = rf"\| ([a-z ]+) \| ([\d,]+) \| {TOOK} \| {TOOK} \| {CPU} \|"
# What a replay has to reach on such a machine.
COMMANDS_A_SECOND, EVENTS_A_SECOND = 10_000, 30_000


def printed(repository: Path) -> list[tuple[str, str]]:
    """The module, and what it printed."""
    text = (repository / "deploy/figures.md").read_text(encoding="utf-8")
    return re.findall(PLACE, text, re.DOTALL)


def test_what_replays_take_stands_as_it_was_printed(repository: Path) -> None:
    ((module, shown),) = printed(repository)
    head, _, *lines = shown.splitlines()

    rows = [found.groups() for line in lines if (found := re.fullmatch(ROW, line))]

    assert (module, head) == (replay.__name__, replay.HEAD)
    assert [row[0] for row in rows] == [
        "commands that were handled",
        "commands that are answered again",
        "events copied",
    ]
    assert len(rows) == len(lines)
    for _, *numbers in rows:
        records, *times = (float(each.replace(",", "")) for each in numbers)
        for seconds, rate in (times[:2], times[2:]):
            assert records / rate == pytest.approx(seconds, abs=0.051)


def test_a_replay_is_as_fast_as_it_has_to_be(repository: Path) -> None:
    ((_, shown),) = printed(repository)
    of_rows = {found[1]: found for found in re.finditer(ROW, shown)}
    numbers = {
        what: [int(found[each].replace(",", "")) for each in (2, 4, 6)]
        for what, found in of_rows.items()
    }
    records, sent, handled = numbers["commands that were handled"]
    events, copied, _ = numbers["events copied"]

    assert (records, events) == (100_000, 100_000)
    assert min(sent, handled) >= COMMANDS_A_SECOND
    assert copied >= EVENTS_A_SECOND
