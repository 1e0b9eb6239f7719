"""The settings of a service in a namespace and a database of its own."""

import base64
import os
from collections.abc import Iterable
from pathlib import Path

from authbus_service.embedded import Addresses


def settings_of(
    addresses: Addresses,
    namespace: str,
    database_url: str,
    folder: Path,
    clients: Iterable[str] = ("web",),
) -> dict[str, str]:
    """With its files in this folder."""
    declared = folder / "clients.toml"
    declared.write_text("".join(f'[[client]]\nid = "{each}"\n' for each in clients))
    roles = folder / "roles.toml"
    roles.write_text('[[role]]\nname = "clerk"\npermissions = ["orders:write"]\n')
    return {
        "KAFKA_BOOTSTRAP_SERVERS": addresses.bootstrap_servers,
        "DATABASE_URL": database_url,
        "AUTHBUS_NAMESPACE": namespace,
        "AUTHBUS_TOPICS": "apply",
        "AUTHBUS_CLIENTS": str(declared),
        "AUTHBUS_ROLES": str(roles),
        "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
        "AUTHBUS_HTTP_PORT": "0",
        "AUTHBUS_ARGON2_MEMORY_KIB": "64",
    }
