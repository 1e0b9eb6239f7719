"""A group whose coordinator cannot tell how far it is has not therefore read nothing."""

# pyright: reportPrivateUsage=false

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    BrokerResponseError,
    CoordinatorLoadInProgressError,
    GroupAuthorizationFailedError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from authbus.connection import Connection
from authbus.group_offsets import heed_group_errors
from authbus_service.embedded import Addresses

COMMITTED = 7


@dataclass(frozen=True)
class Group:
    servers: str
    name: str
    at: TopicPartition


@pytest.fixture
async def group(addresses: Addresses, namespace: str) -> Group:
    """A group that has committed an offset."""
    servers, at = addresses.bootstrap_servers, TopicPartition(f"{namespace}.topic", 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(at.topic, 1, 1)])
    await admin.close()
    made = Group(servers, f"{namespace}.group", at)
    async with joined(made) as consumer:
        await consumer.commit({at: COMMITTED})
    return made


def joined(group: Group) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        group.at.topic,
        bootstrap_servers=group.servers,
        group_id=group.name,
        enable_auto_commit=False,
        heartbeat_interval_ms=100,
    )


def saying(send: Any, codes: list[type[BrokerResponseError]]) -> Any:
    """A coordinator that has these to say of the whole group, as Kafka does, and then answers."""

    async def answer(*arguments: Any) -> Any:
        if codes and any(isinstance(each, OffsetFetchRequest) for each in arguments):
            return OffsetFetchResponse_v3(0, [], codes.pop(0).errno)
        return await send(*arguments)

    return answer


@asynccontextmanager
async def heeding(
    group: Group, monkeypatch: pytest.MonkeyPatch, codes: list[type[BrokerResponseError]]
) -> AsyncGenerator[Any]:
    """The consumer's side of such a coordinator, after it was told twice to heed it."""
    real = GroupCoordinator._send_req
    async with joined(group) as consumer:
        monkeypatch.setattr(GroupCoordinator, "_send_req", saying(real, codes))
        heed_group_errors(consumer)
        heed_group_errors(consumer)
        yield consumer._coordinator


@pytest.mark.parametrize("code", [CoordinatorLoadInProgressError, NotCoordinatorForGroupError])
async def test_who_asks_is_told_that_it_is_not_known_now(
    group: Group, monkeypatch: pytest.MonkeyPatch, code: type[BrokerResponseError]
) -> None:
    real, codes = AIOKafkaAdminClient._send_request, [code]
    monkeypatch.setattr(AIOKafkaAdminClient, "_send_request", saying(real, codes))
    connection = Connection(group.servers, "test")

    with pytest.raises(KafkaError, match=group.name) as raised:
        await connection.committed(group.name, [group.at])

    assert raised.value.retriable
    assert await connection.committed(group.name, [group.at]) == {group.at: (COMMITTED, "")}


async def test_a_group_that_has_read_nothing_is_at_no_offset(group: Group) -> None:
    connection = Connection(group.servers, "test")

    found = await connection.committed(f"{group.name}.other", [group.at])

    assert found == {group.at: (-1, "")}


async def test_a_consumer_asks_again_until_its_coordinator_knows(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[type[BrokerResponseError]] = [GroupLoadInProgressError, NotCoordinatorForGroupError]
    async with heeding(group, monkeypatch, codes) as coordinator:
        offsets = await coordinator.fetch_committed_offsets([group.at])

    assert codes == []
    assert offsets[group.at].offset == COMMITTED


async def test_a_right_that_is_missing_is_asked_for_once(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[type[BrokerResponseError]] = [GroupAuthorizationFailedError]
    async with heeding(group, monkeypatch, codes) as coordinator:
        with pytest.raises(GroupAuthorizationFailedError):
            await coordinator.fetch_committed_offsets([group.at])
