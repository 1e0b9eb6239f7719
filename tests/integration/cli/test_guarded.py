"""A service on a Kafka that lets nobody do more than is declared, and refuses one that does."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from authbus import AuthClient, EventStream, Security, SessionStarted, UserCreated
from authbus.tls import Tls
from authbus_service.cluster import ClusterError
from authbus_service.cluster.acl_admin import acl_admin
from authbus_service.cluster.acls import Acl, acls
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import Principals, read_declared
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.main import Service
from authbus_service.startup.doctor import a_doctor
from authbus_service.startup.servers import Servers
from authbus_service.startup.topics import require_topics
from tests.integration.cli.conftest import Authbus
from tests.rig.secured import Secured, a_secured_kafka

pytestmark = pytest.mark.gate

USERS = ("authbus", "authbus-relay", "authbus-operator", "web", "billing")
CLIENTS = """
[[client]]
id = "web"
principal = "User:web"

[[reader]]
group = "billing"
principal = "User:billing"
"""


@dataclass(frozen=True)
class Guarded:
    """A namespace with the declared rights and topics, and the settings of a service for it."""

    kafka: Secured
    settings: Settings

    def service(self, settings: Settings | None = None) -> Service:
        here = settings or self.settings
        return Service(Servers(here, own_kafka=False, own_database=False, stack=None))

    async def looked_at(self, settings: Settings | None = None) -> dict[str, tuple[str, str]]:
        """What a doctor finds: what -> state, text."""
        async with a_doctor(settings or self.settings, None) as doctor:
            return {each.what: (each.state, each.says) async for each in doctor.look()}

    def named(self, topic: str) -> str:
        return f"{self.settings.namespace}.{topic}"

    def environment(self, user: str | None) -> dict[str, str]:
        """For a command of this user's; None: of somebody who may do all."""
        found = {
            "AUTHBUS_NAMESPACE": self.settings.namespace,
            "AUTHBUS_CLIENTS": str(self.settings.clients),
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka.inside if user is None else self.kafka.login,
        }
        if user is None:
            return found
        return {
            **found,
            "AUTHBUS_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "AUTHBUS_KAFKA_CA_FILE": str(self.kafka.authority.file),
            "AUTHBUS_KAFKA_USERNAME": user,
            "AUTHBUS_KAFKA_PASSWORD_FILE": str(self._passwords / user),
        }

    @property
    def _passwords(self) -> Path:
        assert self.settings.kafka_password_file is not None
        return self.settings.kafka_password_file.parent


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    async with a_secured_kafka(tmp_path_factory.mktemp("secured"), USERS) as started:
        yield started


@pytest.fixture
async def guarded(
    kafka: Secured, database: Database, database_url: str, namespace: str, tmp_path: Path
) -> Guarded:
    clients = tmp_path / "clients.toml"
    clients.write_text(CLIENTS)
    for user in USERS:
        (tmp_path / user).write_text(f"secret-of-{user}\n")
    declared = read_declared(clients)
    await require_topics(
        kafka.inside, {}, namespace=namespace, clients=declared.clients, how="apply"
    )
    async with acl_admin(kafka.inside, {}) as admin:
        await admin.add(acls(namespace, declared, groups_of(namespace)))
    return Guarded(
        kafka,
        Settings(
            kafka_bootstrap_servers=kafka.login,
            kafka_security_protocol="SASL_SSL",
            kafka_ca_file=kafka.authority.file,
            kafka_username="authbus",
            kafka_password_file=tmp_path / "authbus",
            relay_username="authbus-relay",
            relay_password_file=tmp_path / "authbus-relay",
            database_url=SecretStr(database_url),
            namespace=namespace,
            clients=clients,
            master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
            argon2_memory_kib=8,
            argon2_time=1,
            http_port=0,
        ),
    )


async def test_a_service_works_under_names_that_may_do_no_more_than_is_declared(
    guarded: Guarded,
) -> None:
    kafka, namespace = guarded.kafka, guarded.settings.namespace
    seen: list[type] = []
    async with guarded.service() as service, asyncio.timeout(60):
        web = AuthClient(
            kafka.login,
            client_id="web",
            trust=service.trust,
            namespace=namespace,
            security=kafka.by_password("web"),
        )
        async with web as auth:
            await auth.register("ana@example.com", "correct horse battery")
            session = await auth.log_in("ana@example.com", "correct horse battery")
            assert auth.verify(session.access_token).session_id == session.session_id
        billing = EventStream(
            kafka.mutual,
            group="billing",
            namespace=namespace,
            security=kafka.by_certificate("billing"),
        )
        async for event in billing:
            seen.append(type(event.data))
            if len(seen) == 2:
                break
        looked = await guarded.looked_at()

    assert seen == [UserCreated, SessionStarted]
    assert looked["rights"] == ("ok", "each of our names may do what it needs and no more")
    assert looked["trust"] == (
        "ok",
        f"all keys are signed by our root; pin it in every client: trust={service.trust!r}",
    )
    assert "secret-of" not in str(looked)


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


async def test_a_broker_without_an_authorizer_is_told(servers: str) -> None:
    async with acl_admin(servers, {}) as admin:
        with pytest.raises(ClusterError, match="has no authorizer: everybody may do everything"):
            await admin.found()


def test_security_is_made_of_files_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Security(Tls(tmp_path / "nowhere.pem")).arguments("kafka:9093")
