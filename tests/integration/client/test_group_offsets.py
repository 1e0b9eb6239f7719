"""A group whose coordinator cannot tell how far it is has not therefore read nothing."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    BrokerResponseError,
    CommitFailedError,
    CoordinatorLoadInProgressError,
    GroupAuthorizationFailedError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3
from aiokafka.protocol.group import LeaveGroupRequest

from authbus.kafka.connection import Connection
from authbus.kafka.group_offsets import heed_group
from authbus_service.embedded import Addresses
from tests.rig.topics import a_partition

COMMITTED = 7


@dataclass(frozen=True)
class Group:
    servers: str
    name: str
    at: TopicPartition


@pytest.fixture
async def group(addresses: Addresses, namespace: str) -> Group:
    """A group that has committed an offset."""
    servers = addresses.bootstrap_servers
    at = await a_partition(servers, namespace)
    made = Group(servers, f"{namespace}.group", at)
    async with joined(made) as consumer:
        await consumer.commit({at: COMMITTED})
    return made


def joined(group: Group, listener: ConsumerRebalanceListener | None = None) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=group.servers,
        group_id=group.name,
        enable_auto_commit=False,
        heartbeat_interval_ms=100,
    )
    consumer.subscribe([group.at.topic], listener=listener)
    return consumer


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
        heed_group(consumer)
        heed_group(consumer)
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


class Late(ConsumerRebalanceListener):  # pyright: ignore[reportUntypedBaseClass]
    """Says how far it came when its partitions are no longer its own, as the service does."""

    def __init__(self) -> None:
        self.joined = asyncio.Event()
        self.left: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.commit: Callable[[], Awaitable[None]] | None = None

    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride] - aiokafka awaits it
        self, revoked: Iterable[TopicPartition]
    ) -> None:
        if revoked and self.commit is not None and not self.left.done():
            said = await asyncio.gather(self.commit(), return_exceptions=True)
            self.left.set_result(said[0])

    async def on_partitions_assigned(  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self, assigned: Iterable[TopicPartition]
    ) -> None:
        self.joined.set()


async def test_a_consumer_that_lost_its_place_commits_nothing_to_a_group_without_members(
    group: Group,
) -> None:
    late = Late()
    async with joined(group, late) as consumer, asyncio.timeout(10):
        heed_group(consumer)
        late.commit = lambda: consumer.commit({group.at: COMMITTED - 1})
        await late.joined.wait()
        coordinator: Any = consumer._coordinator
        # As if Kafka had not heard of it for too long.
        await coordinator._send_req(LeaveGroupRequest(group.name, coordinator.member_id))
        said = await late.left

    assert isinstance(said, CommitFailedError)
    found = await Connection(group.servers, "test").committed(group.name, [group.at])
    assert found == {group.at: (COMMITTED, "")}
