"""Topics are made and checked from the one declaration."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    PolicyViolationError,
    UnknownTopicOrPartitionError,
)

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
