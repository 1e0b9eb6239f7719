"""The page on scaling says what its figures say."""

from pathlib import Path

import pytest

from tests.benchmarks.scaling import CLUSTERS, FILLED, page, stored, tables


def test_the_tables_are_those_of_the_stored_figures(repository: Path) -> None:
    text = (repository / "deploy/scaling.md").read_text(encoding="utf-8")

    assert page(text, stored()) == text, "stale: python -m tests.benchmarks.scaling --page"


def test_a_cluster_spends_what_it_has() -> None:
    measured = stored()

    for cores, row in zip(CLUSTERS, tables(measured)["clusters"].splitlines()[2:], strict=True):
        service, kafka, postgres = (int(cell) for cell in row.split(" | ")[2:5])
        assert service + kafka + postgres == pytest.approx(cores, abs=1)


def test_what_is_single_bears_its_cores_filled_to_two_thirds() -> None:
    measured = stored()

    assert measured.limits["one primary's cores"] * measured.day.cpu["postgres"] == pytest.approx(
        FILLED * 32 * 1000
    )


def test_a_page_without_a_place_for_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="0 places"):
        page("nothing", stored())
