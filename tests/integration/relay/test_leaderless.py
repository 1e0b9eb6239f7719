"""A partition that nobody leads: whoever waits for its leader does not ask without a pause."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.cluster import ClusterMetadata

from authbus import topics
from authbus_service.relay import past as settling
from tests.integration.relay.forgotten import past_of
from tests.integration.relay.world import World

SECONDS, A_SECOND = 2, 15


@pytest.fixture
def learned(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Nobody leads one partition; what brokers say of topics."""
    nobodys = TopicPartition(topics.AUDIT.name(world.namespace), 0)
    leads, learn = ClusterMetadata.leader_for_partition, ClusterMetadata.update_metadata
    said: list[Any] = []

    def leader(cluster: ClusterMetadata, place: TopicPartition) -> int | None:
        return -1 if place == nobodys else leads(cluster, place)

    def hear(cluster: ClusterMetadata, answer: Any) -> None:
        said.append(answer)
        learn(cluster, answer)

    monkeypatch.setattr(ClusterMetadata, "leader_for_partition", leader)
    monkeypatch.setattr(ClusterMetadata, "update_metadata", hear)
    return said


async def test_a_look_at_what_is_hidden_asks_for_a_leader_a_few_times_a_second(
    world: World, learned: list[Any]
) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await past_of(world).hidden()

    assert 1 < len(learned) < SECONDS * A_SECOND


@pytest.mark.usefixtures("learned")
async def test_whoever_looks_again_and_again_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(settling, "_SECONDS", 0.5)

    with suppress(TimeoutError):
        async with asyncio.timeout(SECONDS):
            await past_of(world).watch(0.1, 0.1)

    assert capsys.readouterr().out.count("Kafka did not say what it hides") > 1
