"""What a scrape reads."""

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from authbus_service.core.metrics import INSTALLATION, Metrics

Values = dict[tuple[str, ...], float]


def counted(metrics: Metrics, name: str) -> Values:
    """The values of one series that are not 0, by its labels in the order of their names.

    The one that all have is left out.
    """
    body, _ = metrics.exposed("staging")
    return {
        tuple(value for label, value in each.labels.items() if label != INSTALLATION): each.value
        for family in text_string_to_metric_families(body.decode())
        for each in family.samples
        if each.name == f"authbus_{name}" and each.value
    }


def scraped(metrics: Metrics, names: Iterable[str]) -> dict[str, Values]:
    """The same of several; those that have only 0 are left out."""
    return {name: values for name in names if (values := counted(metrics, name))}
