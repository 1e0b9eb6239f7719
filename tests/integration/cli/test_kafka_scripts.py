"""Kafka's own scripts tell what the runbook says that they tell, run as it writes them."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from authbus.topics import AUDIT, DEFAULT_NAMESPACE, EVENTS, RELAY
from authbus_service.cluster import Admin
from authbus_service.cluster.acls import relay_name
from authbus_service.core.clock import now
from authbus_service.embedded import EmbeddedStack
from authbus_service.reading.ranges import reader
from authbus_service.relay.manifest import KEY
from authbus_service.relay.producer import Outgoing
from tests.rig.hanging import say_with_few_markers
from tests.rig.kafka_scripts import ran, ran_as_written
from tests.rig.runbook import spans
from tests.rig.second_broker import a_second_broker, copies
from tests.rig.servers import FOR_ALL
from tests.rig.topics import FEW, made

pytestmark = pytest.mark.slow

MUCH = 10_000
PLACE = TopicPartition(RELAY.name(), 0)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def broker() -> AsyncIterator[EmbeddedStack]:
    """One of our own, with topics in the namespace that the runbook has."""
    async with EmbeddedStack(postgres=False, broker_config=FOR_ALL) as stack:
        await made(stack.addresses.bootstrap_servers, DEFAULT_NAMESPACE, ["web"])
        yield stack


@pytest.fixture
def servers(broker: EmbeddedStack) -> str:
    return broker.addresses.bootstrap_servers


@pytest.fixture
async def admin(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=servers, metadata_max_age_ms=100)
    await client.start()
    yield client
    await client.close()


async def test_each_partition_of_the_events_and_the_audit_is_shown_with_the_room_it_takes(
    servers: str, tmp_path: Path
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(EVENTS.name(), bytes(MUCH), partition=1)

    told = await ran_as_written("kafka-log-dirs.sh", servers, tmp_path)

    (of_broker,) = json.loads(told[-1])["brokers"]
    (of_disk,) = of_broker["logDirs"]
    room = {each["partition"]: each["size"] for each in of_disk["partitions"]}
    wanted = {f"{topic.name()}-{n}" for topic in (EVENTS, AUDIT) for n in range(FEW)}
    assert of_disk["error"] is None
    assert room.keys() == wanted
    assert [name for name, size in room.items() if size > MUCH] == [f"{EVENTS.name()}-1"]


async def test_the_partition_that_lacks_a_copy_is_shown_and_none_that_lacks_none(
    broker: EmbeddedStack, servers: str, admin: AIOKafkaAdminClient, tmp_path: Path
) -> None:
    topic, script = f"{DEFAULT_NAMESPACE}.replies.twice", "kafka-topics.sh"
    async with a_second_broker(broker, admin, tmp_path / "second") as second:
        await admin.create_topics([NewTopic(topic, 1, 2)])
        await copies(admin, topic, 2)
        whole = await ran_as_written(script, servers, tmp_path)
        await second.kill()
        await copies(admin, topic, 1)
        lacking = await ran_as_written(script, servers, tmp_path)

    assert whole == []
    (line,) = lacking
    shown = dict(each.split(": ", 1) for each in line.strip().split("\t") if ": " in each)
    assert (shown["Topic"], shown["Partition"], shown["Isr"]) == (topic, "0", "1")
    assert sorted(shown["Replicas"].split(",")) == ["1", "2"]


async def test_a_strangers_transaction_that_hangs_is_found_and_ended_by_what_is_shown(
    servers: str, tmp_path: Path
) -> None:
    script = "kafka-transactions.sh"
    nothing = await hanging(script, servers, tmp_path)
    await hang(servers, "stranger")

    found = await hanging(script, servers, tmp_path)
    shown = only(found)
    place = f"--topic {PLACE.topic} --partition {PLACE.partition}"
    abort = f"abort {place} --start-offset {shown['StartOffset']}"
    await ran(f"{script} --bootstrap-server {servers} {abort}", tmp_path)
    after = await hanging(script, servers, tmp_path)

    assert [line.split() for line in nothing] == [[*shown]]
    assert (shown["Topic"], shown["Partition"]) == (PLACE.topic, str(PLACE.partition))
    assert after == nothing


async def test_a_transaction_of_the_relays_own_has_the_producer_that_is_shown(
    servers: str, tmp_path: Path
) -> None:
    script, own = "kafka-transactions.sh", relay_name(DEFAULT_NAMESPACE)
    await hang(servers, own)

    found = only(await hanging(script, servers, tmp_path))
    shown = only(await ran_as_written(script, servers, tmp_path, action="describe"))
    async with AIOKafkaProducer(bootstrap_servers=servers, transactional_id=own) as producer:
        await producer.begin_transaction()
        await producer.send_and_wait(PLACE.topic, b"", b"after", PLACE.partition)
        await producer.commit_transaction()
    after = await hanging(script, servers, tmp_path)

    assert shown["TransactionalId"] == own
    assert shown["ProducerId"] == found["ProducerId"]
    assert len(after) == 1


async def test_what_no_relay_wrote_is_forgotten_with_all_before_it(
    servers: str, tmp_path: Path
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        sent = await producer.send_and_wait(PLACE.topic, b"?", KEY, PLACE.partition)
        await producer.send_and_wait(PLACE.topic, b"", b"after", PLACE.partition)
    (named,) = (json.loads(each) for each in spans() if each.startswith('{"partitions"'))
    (place,) = named["partitions"]
    place["offset"] = sent.offset + 1
    (tmp_path / "forget.json").write_text(json.dumps(named))

    await ran_as_written("kafka-configs.sh", servers, tmp_path)
    await ran_as_written("kafka-delete-records.sh", servers, tmp_path)

    async with Admin.connect(servers, {}) as admin, reader(admin) as consumer:
        first = await consumer.beginning_offsets([PLACE])
        await admin.set(PLACE.topic, RELAY.config)
    assert (place["topic"], place["partition"], first) == (*PLACE, {PLACE: sent.offset + 1})


async def hanging(script: str, servers: str, folder: Path) -> list[str]:
    return await ran_as_written(script, servers, folder, action="find-hanging")


def only(lines: list[str]) -> dict[str, str]:
    """The one row of a table, by the names in its head."""
    names, values = (line.split() for line in lines)
    return dict(zip(names, values, strict=False))


async def hang(servers: str, whose: str) -> None:
    """A transaction of an hour ago is open on the relay's topic, and its coordinator forgot it."""
    record = Outgoing(PLACE.topic, b"before", b"", partition=PLACE.partition)
    before = now() - timedelta(hours=1)
    async with AIOKafkaProducer(
        bootstrap_servers=servers, transactional_id=whose, acks="all"
    ) as producer:
        await say_with_few_markers(
            producer,
            [record],
            [PLACE],
            commit=True,
            elsewhere=TopicPartition(AUDIT.name(), 0),
            timestamp_ms=int(before.timestamp() * 1000),
        )
