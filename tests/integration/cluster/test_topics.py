"""Topics are made and checked from the one declaration."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    NotCoordinatorForGroupError,
    PolicyViolationError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from authbus.topics import ACCOUNTS, CREDENTIALS, EVENTS, RELAY, TOPICS, replies
from authbus_service.cluster import (
    Admin,
    ClusterError,
    Finding,
    TopicsError,
    Wanted,
    apply,
    check,
    declared,
)
from tests.rig.risks import fix_compression
from tests.rig.topics import widen


async def test_an_empty_cluster_misses_every_topic_and_each_finding_names_the_command(
    admin: Admin, namespace: str
) -> None:
    wanted = declared(namespace, ["web"], brokers=1)

    findings = await check(admin, wanted)

    assert len(findings) == len(TOPICS) + 1
    assert {finding.problem for finding in findings} == {"is missing"}
    assert {finding.cure for finding in findings} == {"authbus topics apply"}


async def test_apply_makes_every_declared_topic_and_a_reply_topic_for_each_client(
    admin: Admin, namespace: str
) -> None:
    wanted = declared(namespace, ["web", "shell"], brokers=1)

    left = await apply(admin, wanted)

    assert left == []
    assert await check(admin, wanted) == []
    made = await admin.topics([each.name for each in wanted])
    assert made[EVENTS.name(namespace)].partitions == EVENTS.partitions
    assert made[replies("shell").name(namespace)].partitions == 1
    settings = await admin.settings([CREDENTIALS.name(namespace)])
    assert settings[CREDENTIALS.name(namespace)]["max.message.bytes"].value == "65536"


async def test_a_broker_that_has_not_heard_of_a_new_topic_yet_is_asked_again(
    admin: Admin, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, real = EVENTS.name(namespace), AIOKafkaAdminClient.describe_configs
    unheard = [SimpleNamespace(resources=[(UnknownTopicOrPartitionError.errno, "", 2, name, [])])]
    await apply(admin, declared(namespace, [], brokers=1))

    async def describe(client: AIOKafkaAdminClient, resources: Any) -> Any:
        return [unheard.pop()] if unheard else await real(client, resources)

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_configs", describe)

    assert "max.message.bytes" in (await admin.settings([name]))[name]
    assert unheard == []


async def test_the_settings_of_a_topic_that_is_not_there_are_refused_by_its_name(
    admin: Admin, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus_service.cluster.admin._SETTLE_SECONDS", 0.2)

    with pytest.raises(ClusterError, match=f"{namespace}.nothing.v1: UnknownTopicOrPartition"):
        await admin.settings([f"{namespace}.nothing.v1"])


async def test_apply_twice_changes_nothing(admin: Admin, namespace: str) -> None:
    wanted = declared(namespace, [], brokers=1)

    await apply(admin, wanted)

    assert await apply(admin, wanted) == []


async def test_a_wrong_setting_is_found_and_mended_and_the_operators_own_settings_stay(
    admin: Admin, namespace: str
) -> None:
    wanted = declared(namespace, [], brokers=1)
    await apply(admin, wanted)
    name = EVENTS.name(namespace)
    await admin.set(name, {"cleanup.policy": "compact", "segment.ms": "600000"})

    findings = await _noticed(admin, wanted)
    await apply(admin, wanted)

    assert {(finding.topic, finding.problem) for finding in findings} == {
        (name, "cleanup.policy is compact, not delete"),
        (name, "retention.ms is 604800000, not -1"),
    }
    assert all(finding.fatal and finding.cure == "authbus topics apply" for finding in findings)
    assert await check(admin, wanted) == []
    assert (await admin.settings([name]))[name]["segment.ms"].value == "600000"


async def test_a_setting_that_some_brokers_fix_is_mended_where_they_let_us_and_else_lived_with(
    admin: Admin, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [each for each in declared(namespace, [], 1) if each.name == ACCOUNTS.name(namespace)]
    (name,) = (each.name for each in wanted)
    await apply(admin, wanted)
    await fix_compression(admin.servers, namespace)

    async def refuse(*_: Any) -> Any:
        return [SimpleNamespace(resources=[(PolicyViolationError.errno, "fixed", 2, name)])]

    (finding,) = await check(admin, wanted)
    with monkeypatch.context() as patched:
        patched.setattr(AIOKafkaAdminClient, "alter_configs", refuse)
        left = await apply(admin, wanted)
    mended = await apply(admin, wanted)

    assert (finding.problem, finding.fatal) == ("compression.type is gzip, not producer", False)
    assert left == [finding]
    assert mended == []


async def test_too_few_partitions_are_a_finding_that_apply_does_not_touch(
    admin: Admin, servers: str, namespace: str
) -> None:
    wanted = declared(namespace, [], brokers=1)
    name = EVENTS.name(namespace)
    await _create(servers, name, partitions=2)

    with pytest.raises(TopicsError, match="has 2 partitions, not 12") as raised:
        await apply(admin, wanted)

    assert f"kafka-topics.sh --bootstrap-server {servers} --alter --topic {name}" in str(
        raised.value
    )
    assert (await admin.topics([name]))[name].partitions == 2


async def test_more_partitions_are_welcome_except_where_one_is_declared(
    admin: Admin, servers: str, namespace: str
) -> None:
    wanted = declared(namespace, [], brokers=1)
    await apply(admin, wanted)
    await widen(servers, EVENTS.name(namespace), 13)
    await widen(servers, RELAY.name(namespace), 2)

    findings = await _noticed(admin, wanted)

    assert [finding.topic for finding in findings] == [RELAY.name(namespace)]
    assert findings[0].problem == "has 2 partitions, not 1"


async def test_fewer_replicas_than_the_cluster_allows_are_said_and_lived_with(
    admin: Admin, namespace: str
) -> None:
    await apply(admin, declared(namespace, [], brokers=1))

    findings = await check(admin, declared(namespace, [], brokers=2))

    assert len(findings) == len(TOPICS)
    assert not any(finding.fatal for finding in findings)
    assert "has 1 replicas, not 2" in str(findings[0])


async def test_what_was_made_while_brokers_were_lost_is_found_when_three_are_there(
    admin: Admin, namespace: str
) -> None:
    await apply(admin, declared(namespace, [], brokers=1))

    findings = await check(admin, declared(namespace, [], brokers=3))

    told = {(each.problem.partition(":")[0], each.cure, each.fatal) for each in findings}
    assert told == {
        ("has 1 replicas, not 3", "kafka-reassign-partitions.sh", False),
        ("min.insync.replicas is 1, not 2", "authbus topics apply", True),
    }
    assert len(findings) == 2 * len(TOPICS)


def test_three_brokers_get_three_replicas_of_which_two_must_have_each_record() -> None:
    one, two, three, many = (declared("auth", ["web"], brokers)[0] for brokers in (1, 2, 3, 9))

    assert (one.replicas, two.replicas, three.replicas, many.replicas) == (1, 2, 3, 3)
    assert "min.insync.replicas" not in two.config
    assert "min.insync.replicas" not in one.config
    assert three.config["min.insync.replicas"] == "2"


async def test_committed_offsets_of_a_group_are_read_and_none_is_no_error(
    admin: Admin, servers: str, namespace: str
) -> None:
    group, topic = f"{namespace}.group", f"{namespace}.topic"
    await _create(servers, topic, partitions=1)

    before = await admin.committed(group)
    await _commit(servers, group, topic)

    assert before == {}
    assert await admin.committed(group) == {(topic, 0): 1}


async def test_a_coordinator_that_still_loads_is_asked_again_and_not_taken_for_an_empty_group(
    admin: Admin, servers: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    group, topic = f"{namespace}.group", f"{namespace}.topic"
    await _create(servers, topic, partitions=1)
    await _commit(servers, group, topic)
    client, codes = admin._client, [CoordinatorLoadInProgressError, NotCoordinatorForGroupError]
    send = client._send_request

    async def starting(request: Any, node_id: int | None = None) -> Any:
        if isinstance(request, OffsetFetchRequest) and codes:
            return OffsetFetchResponse_v3(0, [], codes.pop().errno)
        return await send(request, node_id)

    monkeypatch.setattr(client, "_send_request", starting)

    assert await admin.committed(group) == {(topic, 0): 1}
    assert not codes


async def test_no_kafka_is_one_error_that_names_the_address() -> None:
    with pytest.raises(ClusterError, match=r"127\.0\.0\.1:1\b.*KAFKA_BOOTSTRAP_SERVERS"):
        async with Admin.connect("127.0.0.1:1", {}):
            pass


async def test_the_cluster_has_an_id_and_counts_its_brokers(admin: Admin) -> None:
    cluster_id, brokers = await admin.describe()

    assert len(cluster_id) == 22
    assert brokers == 1


async def _create(servers: str, name: str, *, partitions: int) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    await client.start()
    await client.create_topics([NewTopic(name, partitions, 1)])
    await client.close()


async def _noticed(admin: Admin, wanted: Sequence[Wanted]) -> list[Finding]:
    """Check until something is found: a broker learns of a change a moment later."""
    for _ in range(200):
        findings = await check(admin, wanted)
        if findings:
            return findings
        await asyncio.sleep(0.02)
    return []


async def _commit(servers: str, group: str, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, b"one")
    at = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    async with consumer:
        consumer.assign([at])
        await consumer.commit({at: 1})
