"""The page on scaling says what its figures say."""

import json
from pathlib import Path

import pytest

from tests.benchmarks.needs import FILLED, REFRESHES
from tests.benchmarks.scaling import CLUSTERS, RESULTS, page, stored, tables


def test_the_tables_are_those_of_the_stored_figures(repository: Path) -> None:
    text = (repository / "deploy/scaling.md").read_text(encoding="utf-8")

    assert page(text, stored()) == text, "stale: python -m tests.benchmarks.scaling --page"


def test_a_cluster_spends_what_it_has() -> None:
    measured = stored()

    for cores, row in zip(CLUSTERS, tables(measured)["clusters"].splitlines()[2:], strict=True):
        service, kafka, postgres = (int(cell) for cell in row.split(" | ")[2:5])
        assert service + kafka + postgres == pytest.approx(cores, abs=1)


def test_log_ins_need_the_memory_and_the_disks_that_their_costs_sum_up_to() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    times, day = {"log-in": 1, "refresh": REFRESHES, "log-out": 1}, 24 * 60 * 60
    kafka, log = (
        sum(count * found["costs"][name][of] for name, count in times.items())
        for of in ("kafka", "wal")
    )

    rows = [
        [cell.replace(",", "") for cell in row.strip("| ").split(" | ")]
        for row in tables(stored())["sizes"].splitlines()[2:5]
    ]

    assert [row[0] for row in rows] == ["10", "100", "1000"]
    for rate, service, _, _, processes, memory, _, *disks in rows:
        assert -0.05 <= int(processes) - float(service) < 1.05
        together = int(processes) * (found["memory"] + 19) / 1024
        of_disks = (log / 1e6, 3 * kafka * day / 1e9, log * day / 1e9)
        sums = (together, *(int(rate) * each for each in of_disks))
        for shown, wanted in zip((memory, *disks), sums, strict=True):
            rounded = 10 ** -len(shown.partition(".")[2])
            assert float(shown) == pytest.approx(wanted, abs=0.51 * rounded)


def test_what_is_single_bears_its_cores_filled_to_two_thirds() -> None:
    measured = stored()

    assert measured.limits["one primary's cores"] * measured.day.cpu["postgres"] == pytest.approx(
        FILLED * 32 * 1000
    )


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places"):
        page("nothing", stored())
