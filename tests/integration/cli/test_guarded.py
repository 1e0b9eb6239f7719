"""A service on a Kafka that lets nobody do more than is declared, and refuses one that does."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from authbus import Security, SessionStarted, UserCreated
from authbus.tls import Tls
from authbus.topics import CREDENTIALS, DEAD_LETTERS, EVENTS, SESSIONS
from authbus_service.cluster import Admin, ClusterError
from authbus_service.cluster.acl_admin import acl_admin
from authbus_service.cluster.acls import Acl, acls
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import Principals, read_declared
from tests.integration.cli.conftest import Authbus, Ended, kept
from tests.rig import programs
from tests.rig.guarded import Guarded
from tests.rig.replaying import a_new_topic
from tests.rig.secured import changed
from tests.rig.topics import records, remove

pytestmark = pytest.mark.slow

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"
KINDS = {"command", "reply", "event", "audit", "dead letter"}


async def test_a_service_works_under_names_that_may_do_no_more_than_is_declared(
    guarded: Guarded,
) -> None:
    async with guarded.service() as service, asyncio.timeout(60):
        async with guarded.web(service.trust) as auth:
            await auth.register(EMAIL, PASSWORD)
            session = await auth.log_in(EMAIL, PASSWORD)
            assert auth.verify(session.access_token).session_id == session.session_id
        seen = await guarded.heard(2)
        looked = await guarded.looked_at()

    assert seen == [UserCreated, SessionStarted]
    assert looked["rights"] == ("ok", "each of our names may do what it needs and no more")
    assert looked["trust"] == (
        "ok",
        f"all keys are signed by our root; pin it in every client: trust={service.trust!r}",
    )
    assert "secret-of" not in str(looked)


def operating(guarded: Guarded) -> list[tuple[str, ...]]:
    """An operator's commands while the service runs."""
    commands = "replay", "commands", guarded.named(CREDENTIALS.suffix), "--from", "0"
    return [
        (*commands, "--dry-run"),
        commands,
        ("replay", "events", "--to-group", "billing", "--from", "0"),
        ("state", "rebuild", "users"),
        ("state", "rebuild", "keys"),
        ("dead-letters", "list"),
        ("dead-letters", "discard", "--all"),
        ("keys", "list"),
    ]


def rows(ended: Ended) -> list[dict[str, Any]]:
    """What a command has printed."""
    return [json.loads(line) for line in ended.out.splitlines()]


async def say_noise(guarded: Guarded) -> None:
    """Leave a dead letter."""
    servers, namespace = guarded.kafka.inside, guarded.settings.namespace
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(SESSIONS.name(namespace), b"noise")
    async with asyncio.timeout(20):
        while not [each async for each in records(servers, DEAD_LETTERS, namespace)]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def until_all_kinds(watch: programs.Program) -> set[str]:
    """The kinds of records that are shown, once there are all."""
    kinds = set[str]()
    while kinds != KINDS:
        kinds.add(json.loads(await watch.stdout.readline())["kind"])
    return kinds


async def test_an_operator_replays_and_repairs_under_a_name_that_may_do_no_more_than_is_declared(
    guarded: Guarded, authbus: Authbus, tmp_path: Path
) -> None:
    mine = guarded.environment("authbus-operator")
    async with guarded.service() as service, guarded.web(service.trust) as auth:
        await auth.register(EMAIL, PASSWORD)
        await auth.log_in(EMAIL, PASSWORD)
        await guarded.heard(2)
        await say_noise(guarded)
        watch = await programs.start("watch", environment={**kept(), **mine}, folder=tmp_path)
        ended = [await authbus(*each, **mine) for each in operating(guarded)]
        await auth.log_in(EMAIL, PASSWORD)
        async with asyncio.timeout(20):
            kinds = await until_all_kinds(watch)
        watch.send_signal(signal.SIGINT)
        watched = await watch.wait()
        again = await guarded.heard(2)
    recovered = await authbus("recover", **mine)

    assert [each.status for each in (*ended, recovered)] == [0] * 9, [*ended, recovered]
    assert (watched, kinds) == (0, KINDS)
    looked, replayed, moves, users, keys, letters, closed, known = map(rows, ended)
    assert (looked[0]["selected"], replayed[0]["already_handled"]) == (2, 2)
    assert sum(each["again"] for each in moves) > 0
    assert again == [UserCreated, SessionStarted]
    assert (users[0]["users"], keys[0]["keys"], len(known)) == (1, 2, 2)
    assert (letters[0]["count"], closed[0]["discarded"]) == (1, 1)
    assert "secret-of" not in str([*ended, recovered])


async def test_a_right_that_is_missing_half_way_ends_a_command_with_its_name_and_the_cure(
    guarded: Guarded, authbus: Authbus
) -> None:
    mine, me = guarded.environment("authbus-operator"), "User:authbus-operator"
    letters, inside = guarded.named(DEAD_LETTERS.suffix), guarded.kafka.inside
    async with Admin.connect(inside, {}) as admin:
        copies = await a_new_topic(admin, f"copies.{guarded.settings.namespace}")
    async with AIOKafkaProducer(bootstrap_servers=inside) as producer:
        for each in (letters, guarded.named(EVENTS.suffix)):
            await producer.send_and_wait(each, b"noise")
    looks = (Acl(me, "topic", copies, "DESCRIBE"), Acl(me, "topic", copies, "DESCRIBE_CONFIGS"))

    async with changed(guarded.kafka, *looks, Acl(me, "topic", letters, "READ", denies=True)):
        copied = await authbus("replay", "events", "--to-topic", copies, "--from", "0", **mine)
        listed = await authbus("dead-letters", "list", **mine)
    await remove(inside, copies)

    for ended, topic in ((copied, copies), (listed, letters)):
        assert (ended.status, "Traceback" in ended.err) == (1, False), ended
        assert f"go on: TopicAuthorizationFailedError ({topic}). Give our name" in ended.err
        assert "secret-of" not in ended.err


@pytest.mark.parametrize("whose", ["everybody", "consumers"])
async def test_a_start_is_refused_while_rights_are_open_and_the_doctor_says_the_same(
    guarded: Guarded, whose: str
) -> None:
    everything, events = Acl("User:*", "topic", "*", "ALL"), guarded.named("events.v1")
    extra = everything if whose == "everybody" else Acl("User:authbus", "topic", events, "WRITE")
    topics = guarded.named("commands.credentials.v1") if whose == "everybody" else events
    async with acl_admin(guarded.kafka.inside, {}) as admin:
        await admin.add([extra])
        try:
            with pytest.raises(ClusterError) as start:
                async with guarded.service():
                    raise AssertionError
            looked = await guarded.looked_at()
        finally:
            await admin.remove([extra])

    assert topics in str(start.value)
    assert "the consumers' name may, and must not, " in str(start.value)
    assert "authbus acls check" in str(start.value)
    assert looked["rights"][0] == "fault"
    assert "the consumers' name may, and must not, " in looked["rights"][1]


async def test_a_start_is_refused_while_a_right_is_missing(guarded: Guarded) -> None:
    events = guarded.named("events.v1")
    async with acl_admin(guarded.kafka.inside, {}) as admin:
        await admin.remove([Acl("User:authbus-relay", "topic", events, "WRITE")])

    said = f"{events}: the relay's name may not WRITE. Mend it: authbus acls apply"
    with pytest.raises(ClusterError, match=said):
        async with guarded.service():
            raise AssertionError


async def test_one_name_for_consumers_and_relay_is_a_warning(guarded: Guarded) -> None:
    namespace = guarded.settings.namespace
    known = {"consumer": "User:authbus", "relay": "User:authbus"}
    declared = read_declared(guarded.settings.clients or Path()).model_copy(
        update={"principals": Principals(**known)}
    )
    async with acl_admin(guarded.kafka.inside, {}) as admin:
        await admin.add(acls(namespace, declared, groups_of(namespace)))
    alone = guarded.settings.model_copy(
        update={"relay_username": None, "relay_password_file": None}
    )

    state, says = (await guarded.looked_at(alone))["rights"]

    assert state == "warning"
    assert "whoever has the consumers' name may write events" in says


async def test_acls_are_checked_by_operators_and_made_by_who_may_alter_the_cluster(
    guarded: Guarded, authbus: Authbus
) -> None:
    missing = Acl("User:web", "topic", guarded.named("replies.web"), "READ")
    strange = Acl("User:web", "topic", guarded.named("events.v1"), "WRITE")
    denied = Acl("User:crm", "topic", guarded.named("events.v1"), "READ", denies=True)
    async with acl_admin(guarded.kafka.inside, {}) as admin:
        await admin.remove([missing])
        await admin.add([strange, denied])

    checked = await authbus("acls", "check", **guarded.environment("authbus-operator"))
    refused = await authbus("acls", "apply", **guarded.environment("authbus-operator"))
    applied = await authbus("acls", "apply", "--prune", **guarded.environment(None))

    assert (checked.status, refused.status, applied.status) == (1, 1, 0), applied
    assert f"missing: {missing}" in checked.out
    assert f"not declared: {strange}" in checked.out
    assert "needs ALTER on the cluster" in refused.err
    assert "secret-of" not in checked.out + refused.err
    assert "ACLs are as declared" in applied.err
    async with acl_admin(guarded.kafka.inside, {}) as admin:
        assert denied in await admin.found()


async def test_a_service_checks_its_topics_and_makes_none_under_a_name_that_may_not_create(
    guarded: Guarded, authbus: Authbus
) -> None:
    mine, name = guarded.environment("authbus"), guarded.named(DEAD_LETTERS.suffix)
    well = await authbus("topics", "check", **mine)
    await remove(guarded.kafka.inside, name)

    checked = await authbus("topics", "check", **mine)
    refused = await authbus("topics", "apply", **mine)
    applied = await authbus("topics", "apply", **guarded.environment(None))
    again = await authbus("topics", "check", **mine)

    assert "topics are as declared" in well.err
    assert [each.status for each in (well, checked, refused, applied, again)] == [0, 1, 1, 0, 0]
    assert [(each["topic"], each["cure"]) for each in rows(checked)] == [
        (name, "authbus topics apply")
    ]
    assert f"does not let us create topic {name}: " in refused.err
    assert "Give our name that right, or do it as somebody who has it" in refused.err


async def test_a_broker_without_an_authorizer_is_told(servers: str) -> None:
    async with acl_admin(servers, {}) as admin:
        with pytest.raises(ClusterError, match="has no authorizer: everybody may do everything"):
            await admin.found()


def test_security_is_made_of_files_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Security(Tls(tmp_path / "nowhere.pem")).arguments("kafka:9093")
