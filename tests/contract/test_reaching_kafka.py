"""Whoever talks to Kafka is told how it is reached: no client is made that forgets it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MADE = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaClient"}


def calls(repository: Path) -> Iterator[tuple[str, str, ast.Call]]:
    """Every call in the two packages: place, name of what is called, the call."""
    for package in ("service/authbus_service", "schemas/authbus"):
        for file in (repository / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield f"{file.name}:{node.lineno}", ast.unparse(node.func), node


def test_every_client_of_kafka_takes_arguments_that_are_made_elsewhere(repository: Path) -> None:
    made = [(place, call) for place, name, call in calls(repository) if name in MADE]

    assert len(made) > 10
    bare = [place for place, call in made if all(each.arg for each in call.keywords)]
    assert not bare, f"without **security: {bare}"


@pytest.mark.parametrize("name", ["Admin.connect", "require_topics", "require_fence"])
def test_nobody_goes_to_a_cluster_with_nothing_in_hand(repository: Path, name: str) -> None:
    made = [(place, call) for place, called, call in calls(repository) if called == name]

    assert made
    empty = [place for place, call in made if "{}" in map(ast.unparse, call.args)]
    assert not empty, f"with no security: {empty}"
