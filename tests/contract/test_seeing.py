"""Alerts, dashboard and runbook speak of metrics that are there, and of each other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from authbus.code import Code
from authbus.state import DeadLetterReason
from authbus.topics import COMMAND_TOPICS
from authbus_service.auth.mails import Template
from authbus_service.core.metrics import INSTALLATION, Metrics, Stage
from authbus_service.core.watch import DEAD, DONE, REPEATED
from authbus_service.mail.mailer import OUTCOMES
from authbus_service.relay.errors import REASONS

LABELS = {
    "reason": {*DeadLetterReason, *REASONS},
    "outcome": {*Code, DONE, REPEATED, DEAD, *OUTCOMES},
    "stage": {*Stage},
    "template": {*Template},
}

AGGREGATES = r"\b(?:sum|min|max|avg|count)\b"


@pytest.fixture
def alerts(repository: Path) -> dict[str, str]:
    """Each alert's name and its expression."""
    text = (repository / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8")
    found = re.findall(r"- alert: (\w+)\n +expr: (.*?)\n +(?:for|labels): ", text, re.DOTALL)
    assert len(found) == text.count("- alert:")
    return dict(found)


@pytest.fixture
def panels(repository: Path) -> list[str]:
    """Every query of the dashboard."""
    text = (repository / "deploy/grafana/authbus.json").read_text(encoding="utf-8")
    return list(_queries(json.loads(text)))


def _queries(node: Any) -> Iterator[str]:
    match node:
        case {"expr": str(query)}:
            yield query
        case dict():
            for each in node.values():
                yield from _queries(each)
        case list():
            for each in node:
                yield from _queries(each)
        case _:
            pass


def test_each_alert_has_its_paragraph_in_the_runbook_and_no_other_has_one(
    alerts: dict[str, str], repository: Path
) -> None:
    runbook = (repository / "deploy/runbook.md").read_text(encoding="utf-8")

    assert len(alerts) > 10
    assert re.findall(r"^### (Authbus\w+)$", runbook, re.MULTILINE) == list(alerts)


def test_each_alert_is_played_through_in_a_test_of_its_own(
    alerts: dict[str, str], repository: Path
) -> None:
    played = (repository / "deploy/prometheus/alerts.test.yaml").read_text(encoding="utf-8")

    assert list(dict.fromkeys(re.findall(r'alertname="(\w+)"', played))) == list(alerts)


def test_each_alert_is_raised_for_each_installation_by_itself(
    alerts: dict[str, str], repository: Path
) -> None:
    text = (repository / "deploy/prometheus/alerts.yaml").read_text(encoding="utf-8")

    for name, query in alerts.items():
        assert re.search(AGGREGATES, query), name
        assert not re.search(rf"{AGGREGATES}(?! by \({INSTALLATION}\b)", query), name
    summaries = re.findall(r"summary: (.*)", text)
    assert len(summaries) == len(alerts)
    assert not [each for each in summaries if f"$labels.{INSTALLATION}" not in each]


def test_the_dashboard_shows_one_installation_at_a_time(
    panels: list[str], repository: Path
) -> None:
    text = (repository / "deploy/grafana/authbus.json").read_text(encoding="utf-8")
    variables = {each["name"]: each for each in json.loads(text)["templating"]["list"]}

    assert variables[INSTALLATION]["query"] == f"label_values(authbus_relay_leads, {INSTALLATION})"
    assert not variables[INSTALLATION]["multi"]
    chosen = f'{{{INSTALLATION}=~"${INSTALLATION}"'
    for query in (*panels, variables["instance"]["query"]):
        for metric in _metrics(query):
            assert query.count(metric) == query.count(f"{metric}{chosen}"), query


def test_alerts_and_panels_ask_for_metrics_that_are_declared(
    alerts: dict[str, str], panels: list[str]
) -> None:
    asked = {name for query in (*alerts.values(), *panels) for name in _metrics(query)}

    assert len(asked) > 20
    assert asked - Metrics().names() == set()


def test_every_metric_of_ours_is_on_the_dashboard(panels: list[str]) -> None:
    families = {_family(name) for query in panels for name in _metrics(query)}

    declared = {_family(name) for name in Metrics().names() if name.startswith("authbus_")}
    assert declared - families == set()


def test_alerts_and_panels_ask_for_values_that_labels_have(
    alerts: dict[str, str], panels: list[str]
) -> None:
    for query in (*alerts.values(), *panels):
        for label, values in re.findall(r'(\w+)[!=]?[=~]"([^"]+)"', query):
            if label in LABELS:
                assert set(values.split("|")) <= LABELS[label], query


def test_no_alert_is_silent_because_what_it_compares_with_is_not_there_yet(
    alerts: dict[str, str],
) -> None:
    """A process has no series of log-ins that are done before the first one is."""
    for name, query in alerts.items():
        compared, *bounds = re.split(r"\s+[<>] ", query.removeprefix(">-").strip())
        for bound in bounds:
            falls_back = " ".join(bound.split()).endswith(f" or 0 * {compared})")
            assert falls_back or "sum" not in bound, name


def test_the_alert_of_unread_partitions_knows_how_many_there_are(alerts: dict[str, str]) -> None:
    partitions = sum(topic.partitions for topic in COMMAND_TOPICS)

    assert alerts["AuthbusPartitionsUnread"] == (
        f"sum by ({INSTALLATION}) (authbus_assigned_partitions) < {partitions}"
    )


def _metrics(query: str) -> set[str]:
    return set(re.findall(r"\b(?:authbus|process)_\w+", query))


def _family(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)
