"""`authbus serve`, run as a program."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus import AuthClient
from authbus.topics import CREDENTIALS
from authbus_service.core.database import Database
from tests.integration.cli.conftest import OWN, Authbus, Serve
from tests.rig.clocks import later
from tests.rig.connections import counting, locked, told_at_most
from tests.rig.post import code_in
from tests.rig.risks import a_strangers_keys, commit_asynchronously, fix_compression, say_keys


@pytest.mark.slow
async def test_serve_without_settings_starts_its_own_servers_and_keeps_their_data(
    serve: Serve, tmp_path: Path
) -> None:
    async with serve() as first:
        ready = first.get("/health/ready")
        keys = first.get("/.well-known/jwks.json")
        status = await first.stop()
    async with serve() as second:
        assert second.addresses["trust"] == first.addresses["trust"]
        assert second.addresses["kafka"] == first.addresses["kafka"]
        assert second.get("/.well-known/jwks.json") == keys

    assert ready[0] == 200
    assert {key["use"] for key in keys[1]["keys"]} == {"sig", "enc"}
    assert status == 0
    assert (tmp_path / ".data" / "master.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
async def test_a_developer_reads_the_mails_of_the_own_servers_in_a_folder(
    serve: Serve, tmp_path: Path
) -> None:
    email, new = "ana@example.com", "staple them together"
    async with serve() as running:
        kafka, trust = running.addresses["kafka"], running.addresses["trust"]
        folder = tmp_path / running.addresses["mails"]
        async with AuthClient(kafka, client_id="web", trust=trust) as auth:
            await auth.register(email, "correct horse battery")
            await auth.email.verify(await code_in(folder, "verify-email"))
            await auth.passwords.request_reset(email)
            await auth.passwords.reset(await code_in(folder, "reset-password"), new)
            session = await auth.log_in(email, new)
            claims = auth.verify(session.access_token)

    assert claims.user_id == session.user_id
    assert folder == tmp_path / ".data" / "mails"


async def test_serve_uses_the_servers_that_are_given_and_ends_well_on_ctrl_c(
    serve: Serve, given: dict[str, str]
) -> None:
    ours = f'installation="{given["AUTHBUS_NAMESPACE"]}"'
    of_consumer = f'{{consumer="credentials",{ours}}}'
    none_assigned = f"authbus_assigned_partitions{of_consumer} 0.0"
    async with serve(**given) as running:
        shown = running.addresses
        ready = running.get("/health/ready")
        # A partition counts when the guard has let its records in, a moment after the start.
        while none_assigned in (metrics := running.get_text("/metrics")):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        status = await running.stop(signal.SIGINT)

    assert shown["kafka"] == given["KAFKA_BOOTSTRAP_SERVERS"]
    assert shown["namespace"] == given["AUTHBUS_NAMESPACE"]
    assert shown["database"] == "postgresql://" + given["DATABASE_URL"].rpartition("@")[2]
    assert ready[0] == 200
    assert {"credentials", "cheap"} == set(ready[1]["consumers"])
    assert f"authbus_assigned_partitions{of_consumer} 12.0" in metrics
    assert f"authbus_rebalances_total{of_consumer} 0.0" in metrics
    assert f"authbus_relay_leads{{{ours}}} 1.0" in metrics
    assert status == 0


@pytest.mark.slow
async def test_a_start_says_in_its_log_what_it_can_live_with(
    serve: Serve, given: dict[str, str], database: Database
) -> None:
    servers, namespace = given["KAFKA_BOOTSTRAP_SERVERS"], given["AUTHBUS_NAMESPACE"]
    topic = await fix_compression(servers, namespace)
    await commit_asynchronously(database)
    await say_keys(servers, namespace, a_strangers_keys())
    async with later(database, timedelta(seconds=5)), serve(**given) as running:
        warned = [each for each in running.lines() if each.get("level") == "warning"]

    says = {each["what"]: each["says"] for each in warned if each["event"] == "a risk"}
    (found,) = (each for each in warned if each["event"] == "a topic is not as declared")
    assert says.keys() == {"durability", "clock", "trust"}
    assert "synchronous_commit" in says["durability"]
    assert " s from the database's. Synchronise both" in says["clock"]
    assert f"2 keys on {namespace}.state.keys.v1 are not ours" in says["trust"]
    assert found["finding"].startswith(f"{topic}: compression.type is gzip")


async def came_and_went(auth: AuthClient, user: int) -> None:
    email, password = f"user{user}@example.com", "correct horse battery"
    await auth.register(email, password)
    session = await auth.refresh(await auth.log_in(email, password))
    await auth.log_out(session)


async def looked_at(http: str) -> bytes:
    """The answer to a probe, asked beside others."""
    host, _, port = http.removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /health/ready HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.slow
async def test_serve_under_load_has_no_more_connections_than_operators_are_told(
    serve: Serve, given: dict[str, str]
) -> None:
    url, namespace = given["DATABASE_URL"], given["AUTHBUS_NAMESPACE"]
    cheap = {"AUTHBUS_ARGON2_MEMORY_KIB": "64", "AUTHBUS_ARGON2_TIME": "1"}
    async with counting(url) as counts, serve(**given, **cheap) as running:
        kafka, trust = running.addresses["kafka"], running.addresses["trust"]
        async with AuthClient(kafka, client_id="web", namespace=namespace, trust=trust) as auth:
            coming = asyncio.gather(*(came_and_went(auth, user) for user in range(100)))
            async with locked(url, "outbox"):
                probes = asyncio.gather(*(looked_at(running.addresses["http"]) for _ in range(50)))
                await asyncio.sleep(1)
            await asyncio.gather(coming, probes)

    # One of them is the watchdog's, which asks when it is in doubt.
    assert told_at_most() - 1 <= max(counts) <= told_at_most()


async def test_serve_listens_nowhere_when_http_is_off(serve: Serve, given: dict[str, str]) -> None:
    async with serve(**{**given, "AUTHBUS_HTTP_PORT": "off"}) as running:
        listens = [
            each
            for each in psutil.Process(running.child.pid).net_connections("tcp")
            if each.status == psutil.CONN_LISTEN
        ]
        status = await running.stop()

    assert running.addresses["http"] == "off"
    assert listens == []
    assert status == 0


@pytest.mark.parametrize(
    ("without", "says"),
    [
        ("AUTHBUS_MASTER_KEY", "authbus keys new"),
        ("AUTHBUS_CLIENTS", "AUTHBUS_CLIENTS is needed"),
    ],
)
async def test_serve_on_given_servers_says_what_else_it_needs(
    authbus: Authbus, given: dict[str, str], without: str, says: str
) -> None:
    del given[without]

    ended = await authbus("serve", **OWN, **given)

    assert ended.status == 1
    assert says in ended.err.splitlines()[-1]


async def test_serve_refuses_topics_that_are_not_as_declared(
    authbus: Authbus, given: dict[str, str]
) -> None:
    ended = await authbus("serve", **OWN, **{**given, "AUTHBUS_NAMESPACE": "another"})

    assert ended.status == 1
    assert "another.events.v1: is missing. Mend it: authbus topics apply" in ended.err


async def test_serve_refuses_another_master_key(
    authbus: Authbus, serve: Serve, given: dict[str, str]
) -> None:
    async with serve(**given) as running:
        await running.stop()
    other = (await authbus("keys", "new")).out.strip()

    ended = await authbus("serve", **OWN, **{**given, "AUTHBUS_MASTER_KEY": other})

    assert ended.status == 1
    assert "is not in the list" in ended.err


async def test_serve_refuses_a_database_that_is_older_than_kafkas_offsets(
    authbus: Authbus, given: dict[str, str]
) -> None:
    namespace, servers = given["AUTHBUS_NAMESPACE"], given["KAFKA_BOOTSTRAP_SERVERS"]
    place = TopicPartition(CREDENTIALS.name(namespace), 3)
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, group_id=f"{namespace}.credentials", enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.commit({place: 7})

    ended = await authbus("serve", **OWN, **given)

    assert ended.status == 1
    assert "authbus recover" in ended.err.splitlines()[-1]
    assert "the relay leads" not in ended.err


async def test_serve_says_when_its_http_port_is_taken(
    authbus: Authbus, serve: Serve, given: dict[str, str]
) -> None:
    async with serve(**given) as running:
        port = running.addresses["http"].rpartition(":")[2]

        ended = await authbus("serve", **{**given, "AUTHBUS_HTTP_PORT": port})

    assert ended.status == 1
    assert "AUTHBUS_HTTP_PORT" in ended.err.splitlines()[-1]


@pytest.mark.gate
async def test_a_lost_own_kafka_ends_the_service_with_its_last_words(serve: Serve) -> None:
    async with serve() as running:
        kafka = int(running.addresses["kafka"].rpartition(":")[2])
        os.kill(_listening_on(kafka), signal.SIGKILL)

        status = await asyncio.wait_for(running.child.wait(), 60)

    assert status == 1


def _listening_on(port: int) -> int:
    return next(
        each.pid
        for each in psutil.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,) and each.pid
    )
