"""Our numbers are Prometheus's numbers, and no stranger makes a label."""

from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from authbus.contract import COMMANDS
from authbus_service.core.metrics import INSTALLATION, Metrics, Stage
from authbus_service.core.watch import DONE, UNKNOWN, Watch


def scrape(metrics: Metrics) -> list[Sample]:
    body, _ = metrics.exposed("staging")
    families = text_string_to_metric_families(body.decode())
    return [each for family in families for each in family.samples]


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a scrape reads: name and values of its own labels, by their names' order."""
    return {
        (each.name, tuple(each.labels[name] for name in each.labels if name != INSTALLATION)): (
            each.value
        )
        for each in scrape(metrics)
    }


def test_every_series_says_of_which_installation_it_is_at_each_scrape() -> None:
    metrics = Metrics()
    metrics.lost_replies.begin()
    metrics.lanes.bind(lambda: 3, "cheap")

    for found in (scrape(metrics), scrape(metrics)):
        assert {each.labels[INSTALLATION] for each in found} == {"staging"}
        names = {each.name for each in found}
        assert {"process_start_time_seconds", "authbus_lost_replies_total"} < names
        (lanes,) = [each for each in found if each.name == "authbus_lanes"]
        assert lanes.labels == {"consumer": "cheap", INSTALLATION: "staging"}


def test_a_histogram_counts_each_value_in_every_bucket_that_it_fits() -> None:
    metrics = Metrics()
    for seconds in (0.0005, 0.001, 0.03, 100):
        metrics.stages.of[Stage.OPEN].see(seconds)

    found = samples(metrics)

    name = "authbus_stage_seconds"
    counts = [found[f"{name}_bucket", (le, "open")] for le in ("0.001", "0.02", "0.05", "+Inf")]
    assert counts == [2, 2, 3, 4]
    assert found[f"{name}_count", ("open",)] == 4
    assert found[f"{name}_sum", ("open",)] == pytest.approx(100.0315)


def test_a_count_that_has_begun_is_there_at_zero() -> None:
    metrics = Metrics()
    metrics.dead_letters.begin("bad_seal")
    before = samples(metrics)
    metrics.dead_letters.add("bad_seal")

    series = ("authbus_dead_letters_total", ("bad_seal",))
    assert (before[series], samples(metrics)[series]) == (0, 1)


def test_a_reading_is_read_at_each_scrape() -> None:
    metrics, lanes = Metrics(), [3]
    metrics.lanes.bind(lambda: lanes[0], "cheap")
    before = samples(metrics)
    lanes[0] = 5

    series = ("authbus_lanes", ("cheap",))
    assert (before[series], samples(metrics)[series]) == (3, 5)


def test_types_that_are_not_ours_are_one_label() -> None:
    metrics = Metrics()
    watch = Watch(metrics)
    strangers: list[Any] = [f"authbus.Evil{number}.v1" for number in range(50)]
    for wire_type in (*strangers, None, "", "authbus.LogIn.v2", *COMMANDS):
        watch.finished(wire_type, DONE)

    types = {
        labels[-1]: count
        for (name, labels), count in samples(metrics).items()
        if "_commands_" in name
    }

    assert set(types) == {model.__name__ for model in COMMANDS.values()} | {UNKNOWN}
    assert types[UNKNOWN] == 53


def test_a_stage_is_seen_also_when_it_fails() -> None:
    metrics = Metrics()

    with pytest.raises(KeyError), Watch(metrics).stage(Stage.COMMIT):
        raise KeyError

    assert samples(metrics)["authbus_stage_seconds_count", ("commit",)] == 1
