"""A namespace on a guarded Kafka, where each name may do what is declared and no more."""

import base64
import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from authbus import AuthClient, EventStream
from authbus_service.cluster.acl_admin import acl_admin
from authbus_service.cluster.acls import acls
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import read_declared
from authbus_service.core.config import Settings
from authbus_service.main import Service
from authbus_service.startup.doctor import Doctor
from authbus_service.startup.servers import Servers
from authbus_service.startup.topics import require_topics
from tests.rig.secured import Secured

USERS = ("authbus", "authbus-relay", "authbus-operator", "web", "billing")
_CLIENTS = """
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
        doctor = Doctor.of(settings or self.settings, None)
        return {each.what: (each.state, each.says) async for each in doctor.look()}

    def named(self, topic: str) -> str:
        return f"{self.settings.namespace}.{topic}"

    def web(self, trust: str) -> AuthClient:
        """The client `web`."""
        return AuthClient(
            self.kafka.login,
            client_id="web",
            trust=trust,
            namespace=self.settings.namespace,
            security=self.kafka.by_password("web"),
        )

    async def heard(self, count: int) -> list[type]:
        """What `billing` hears next: the types of so many events. It leaves its group then."""
        found: list[type] = []
        billing = EventStream(
            self.kafka.mutual,
            group="billing",
            namespace=self.settings.namespace,
            security=self.kafka.by_certificate("billing"),
        )
        async with billing:
            async for event in billing:
                found.append(type(event.data))
                if len(found) == count:
                    break
        return found

    def environment(self, user: str | None) -> dict[str, str]:
        """For a command of this user's; None: of somebody who may do all."""
        assert self.settings.database_url is not None
        assert self.settings.master_key is not None
        found = {
            "AUTHBUS_NAMESPACE": self.settings.namespace,
            "AUTHBUS_CLIENTS": str(self.settings.clients),
            "AUTHBUS_MASTER_KEY": self.settings.master_key.get_secret_value(),
            "DATABASE_URL": self.settings.database_url.get_secret_value(),
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


async def a_guarded(kafka: Secured, database_url: str, namespace: str, folder: Path) -> Guarded:
    """Topics and rights as they are declared; files of passwords and clients in `folder`."""
    clients = folder / "clients.toml"
    clients.write_text(_CLIENTS)
    for user in USERS:
        (folder / user).write_text(f"secret-of-{user}\n")
    declared = read_declared(clients)
    await require_topics(
        kafka.inside, {}, namespace=namespace, clients=declared.clients, how="apply"
    )
    async with acl_admin(kafka.inside, {}) as admin:
        await admin.add(acls(namespace, declared, groups_of(namespace)))
    settings = Settings(
        kafka_bootstrap_servers=kafka.login,
        kafka_security_protocol="SASL_SSL",
        kafka_ca_file=kafka.authority.file,
        kafka_username="authbus",
        kafka_password_file=folder / "authbus",
        relay_username="authbus-relay",
        relay_password_file=folder / "authbus-relay",
        database_url=SecretStr(database_url),
        namespace=namespace,
        clients=clients,
        master_key=SecretStr(base64.b64encode(os.urandom(32)).decode()),
        argon2_memory_kib=8,
        argon2_time=1,
        http_port=0,
    )
    return Guarded(kafka, settings)
