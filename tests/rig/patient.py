"""An installation for `authbus doctor` to look at."""

import base64
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from authbus_service.cluster.installation import settle
from authbus_service.core.config import load
from authbus_service.core.database import Database
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.startup.doctor import Doctor
from authbus_service.startup.keys import open_keyring
from authbus_service.startup.topics import require_topics


@dataclass(frozen=True)
class Patient:
    """An installation that is ready for a service, and who looks at it."""

    authbus: Callable[..., Awaitable[Any]]
    settings: Mapping[str, str]
    database: Database
    keyring: KeyRing

    @property
    def place(self) -> tuple[str, str]:
        """Kafka's address and the namespace."""
        return self.settings["KAFKA_BOOTSTRAP_SERVERS"], self.settings["AUTHBUS_NAMESPACE"]

    async def seen(
        self, backup_from: datetime | None = None, **changes: str
    ) -> dict[str, tuple[str, str]]:
        """Each finding that is not `ok`: its state and what it says."""
        with pytest.MonkeyPatch.context() as patched:
            for name, value in {**self.settings, **changes}.items():
                patched.setenv(name, value)
            settings = load(Path("none"))
        found = [each async for each in Doctor.of(settings, backup_from).look()]
        return {each.what: (each.state, each.says) for each in found if each.state != "ok"}

    async def sql(self, statement: str) -> None:
        async with self.database.transaction() as db:
            await db.execute(text(statement))


async def a_patient(
    authbus: Callable[..., Awaitable[Any]],
    servers: str,
    namespace: str,
    where: tuple[Database, str],
    folder: Path,
) -> Patient:
    """With its topics, its keys and the file of clients in this folder, all as they should be."""
    database, database_url = where
    (folder / "clients.toml").write_text('[[client]]\nid = "web"\n')
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": servers,
        "DATABASE_URL": database_url,
        "AUTHBUS_NAMESPACE": namespace,
        "AUTHBUS_CLIENTS": str(folder / "clients.toml"),
        "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    cluster = await require_topics(servers, {}, namespace=namespace, clients=["web"], how="apply")
    await settle(database, namespace=namespace, cluster_id=cluster.id)
    masters = Masters.read(SecretStr(settings["AUTHBUS_MASTER_KEY"]), None)
    return Patient(authbus, settings, database, await open_keyring(database, masters))
