"""The ACL matrix, cell by cell: each principal tries each thing on each topic."""

from collections.abc import AsyncIterator, Collection
from dataclasses import replace

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import TransactionalIdAuthorizationFailed

from authbus_service.cluster.acl_admin import acl_admin
from authbus_service.cluster.acl_findings import compare
from authbus_service.cluster.acls import Acl, Operation
from authbus_service.cluster.rights import rights
from authbus_service.relay.open_transactions import open_on
from authbus_service.startup.topics import require_topics
from tests.integration.cluster.matrix import DECLARED, MATRIX, TOPICS, WANTED, expected
from tests.rig.secured import Secured, a_secured_kafka, changed
from tests.rig.trying import DOINGS, Doing, is_refused_group, trying

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

# A host that is none of ours, and ours.
FAR, NEAR = "10.9.8.7", "127.0.0.1"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    async with a_secured_kafka(tmp_path_factory.mktemp("secured"), MATRIX) as started:
        clients = DECLARED.clients
        await require_topics(started.inside, {}, namespace="auth", clients=clients, how="apply")
        async with acl_admin(started.inside, {}) as admin:
            await admin.add(WANTED)
        yield started


def _alone(host: str) -> list[str]:
    given = f"missing: {{read}}, which is given to {host} alone!"
    return [given, f"not declared: {{read}} from {host}"]


async def beside(kafka: Secured, *extra: Acl, without: Collection[Acl] = ()) -> list[str]:
    """What is found in such a block."""
    async with changed(kafka, *extra, without=without) as admin:
        found = await admin.found()
    return [f"{each.problem}{'!' if each.fatal else ''}" for each in compare(found, WANTED, "auth")]


@pytest.mark.parametrize("user", MATRIX)
async def test_each_principal_may_do_what_the_matrix_says_and_no_more(
    kafka: Secured, user: str
) -> None:
    async with trying(kafka.login, kafka.by_password(user)) as trier:
        found = {cell: await trier.may(*cell) for cell in expected(user)}

    assert found == expected(user)


async def test_the_matrix_has_a_cell_for_each_principal_topic_and_doing() -> None:
    cells = {(user, *cell) for user in MATRIX for cell in expected(user)}

    assert len(cells) == len(MATRIX) * len(TOPICS) * len(DOINGS) == 585


@pytest.mark.parametrize(("doing", "right"), [("alter", "ALTER"), ("delete", "DELETE")])
async def test_a_right_that_nobody_has_is_seen_by_doing_it_once_it_is_given(
    kafka: Secured, doing: Doing, right: Operation
) -> None:
    given = [Acl("User:web", "topic", each, right) for each in TOPICS]
    async with changed(kafka, *given), trying(kafka.login, kafka.by_password("web")) as trier:
        assert [each for each in TOPICS if not await trier.may(each, doing)] == []


@pytest.mark.parametrize("user", MATRIX)
async def test_what_brokers_tell_us_of_our_rights_is_what_we_may_do(
    kafka: Secured, user: str
) -> None:
    known = kafka.by_password(user).arguments(kafka.login)

    told = await rights(kafka.login, known, TOPICS)

    found = {(topic, doing): doing.upper() in told[topic] for topic in TOPICS for doing in DOINGS}
    assert found == expected(user)


async def test_a_principal_is_the_same_by_certificate_and_by_token(kafka: Secured) -> None:
    ways = ((kafka.mutual, kafka.by_certificate("web")), (kafka.login, kafka.by_token("web")))
    for servers, security in ways:
        async with trying(servers, security) as trier:
            assert await trier.may("auth.replies.web", "read")
            assert not await trier.may("auth.replies.shell", "read")


@pytest.mark.parametrize(
    ("user", "group", "may"),
    [
        ("authbus", "auth.credentials", True),
        ("authbus", "auth.cheap", True),
        ("authbus", "billing", False),
        ("billing", "billing", True),
        ("billing", "auth.credentials", False),
        ("web", "billing", False),
        ("web", "auth.replies.web.1", True),
        ("web", "auth.replies.shell.1", False),
        ("web", "auth.credentials", False),
        ("authbus-operator", "auth.credentials", True),
        ("authbus-operator", "auth.cheap", True),
        ("authbus-operator", "billing", True),
        ("authbus-operator", "crm", True),
        ("authbus-operator", "orders", False),
    ],
)
async def test_a_group_is_joined_by_its_own_principal_and_operators_alone(
    kafka: Secured, user: str, group: str, may: bool
) -> None:
    topic = "auth.replies.web" if user == "web" else "auth.events.v1"
    refused = await is_refused_group(kafka.login, kafka.by_password(user), group, topic)

    assert refused is not may


@pytest.mark.parametrize("user", MATRIX)
async def test_nobody_but_the_relay_and_operators_speaks_under_its_transactional_id(
    kafka: Secured, user: str
) -> None:
    may = user in {"authbus-relay", "authbus-operator"}
    where, how = kafka.login, kafka.by_password(user).arguments(kafka.login)
    producer = AIOKafkaProducer(bootstrap_servers=where, transactional_id="auth.relay", **how)
    try:
        await producer.start()
    except TransactionalIdAuthorizationFailed:
        assert not may
    else:
        at = TopicPartition("auth.events.v1", 0)
        assert may
        assert await open_on(producer, [at]) == {at: {}}
    finally:
        await producer.stop()


async def test_what_was_applied_is_as_declared(kafka: Secured) -> None:
    assert await beside(kafka) == []


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        (Acl("User:*", "topic", "*", "ALL"), "User:* ALL on topic *!"),
        (Acl("User:*", "topic", "auth.events.v1", "READ"), "READ on topic auth.events.v1!"),
        (Acl("User:*", "topic", "au", "WRITE", prefixed=True), "WRITE on topic au*!"),
        (Acl("User:*", "cluster", "kafka-cluster", "ALTER"), "on cluster kafka-cluster!"),
        (Acl("User:*", "topic", "auth.events.v1", "READ", host=FAR), f"events.v1 from {FAR}!"),
        (Acl("User:web", "topic", "auth.events.v1", "WRITE"), "WRITE on topic auth.events.v1"),
        (Acl("User:web", "topic", "auth.events.v1", "READ", host=FAR), f"events.v1 from {FAR}"),
    ],
)
async def test_what_nobody_declared_is_found_and_fatal_when_it_is_for_everybody(
    kafka: Secured, extra: Acl, problem: str
) -> None:
    (found,) = await beside(kafka, extra)

    assert found.startswith("open to everybody: " if "*" in extra.principal else "not declared: ")
    assert found.endswith(problem)


@pytest.mark.parametrize(
    ("of_host", "denies", "is_declared", "told", "may"),
    [
        ("*", True, True, ["denied: {read}, by DENY {read}!"], False),
        (FAR, True, True, [f"denied: {{read}}, by DENY {{read}} from {FAR}!"], True),
        (FAR, False, False, _alone(FAR), False),
        (NEAR, False, False, _alone(NEAR), True),
    ],
)
async def test_a_right_that_is_denied_or_given_to_one_host_is_none_and_brokers_judge_by_ours(
    kafka: Secured, of_host: str, denies: bool, is_declared: bool, told: list[str], may: bool
) -> None:
    read = Acl("User:billing", "topic", "auth.events.v1", "READ")
    known = kafka.by_password("billing").arguments(kafka.login)
    extra, without = replace(read, host=of_host, denies=denies), () if is_declared else (read,)

    found = await beside(kafka, extra, without=without)
    async with changed(kafka, extra, without=without):
        mine = await rights(kafka.login, known, [read.name])

    assert found == [each.format(read=read) for each in told]
    assert ("READ" in mine[read.name]) is may


@pytest.mark.parametrize(
    "elsewhere",
    [
        Acl("User:*", "topic", "orders.v1", "READ"),
        Acl("User:*", "topic", "authors.", "READ", prefixed=True),
        Acl("User:*", "group", "orders", "READ"),
        Acl("User:crm", "topic", "auth.audit.v1", "READ", denies=True),
        Acl("User:*", "topic", "orders.v1", "ALL", denies=True),
    ],
)
async def test_what_others_may_do_elsewhere_is_none_of_our_business(
    kafka: Secured, elsewhere: Acl
) -> None:
    assert await beside(kafka, elsewhere) == []
