"""What a scrape reads."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from authbus_service.core.metrics import Metrics

Values = dict[tuple[str, ...], float]


def counted(metrics: Metrics, name: str) -> Values:
    """The values of one series that are not 0, by its labels in the order of their names."""
    body, _ = metrics.exposed()
    return {
        tuple(each.labels.values()): each.value
        for family in text_string_to_metric_families(body.decode())
        for each in family.samples
        if each.name == f"authbus_{name}" and each.value
    }


def scraped(metrics: Metrics, names: Iterable[str]) -> dict[str, Values]:
    """The same of several; those that have only 0 are left out."""
    return {name: values for name in names if (values := counted(metrics, name))}
