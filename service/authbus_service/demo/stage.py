"""The stage: servers, a running service and its addresses, all of it thrown away at the end."""

import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from authbus.kafka.security import Security
from authbus_service.core.config import Settings
from authbus_service.demo import child, throw_away
from authbus_service.startup.master_key import new_master_key

CLIENT = "demo"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the service is, and the thumbprint of its keys' root."""

    kafka: str
    namespace: str
    trust: str
    security: Security


@asynccontextmanager
async def stage(settings: Settings) -> AsyncGenerator[Stage]:
    """A service on the servers that are given, and on its own where none is."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder())
        given = await _given(settings, folder, stack)
        printed = await stack.enter_async_context(child.running(given, folder / "service.log"))
        yield Stage(
            printed["kafka"],
            printed["namespace"],
            printed["trust"],
            settings.client_security(),
        )


@contextmanager
def _folder() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="authbus-demo-") as made:
        folder = Path(made)
        folder.chmod(0o711)  # PostgreSQL passes through when it has to run as another user
        yield folder


async def _given(settings: Settings, folder: Path, stack: AsyncExitStack) -> dict[str, str]:
    clients, key = folder / "clients.toml", folder / "demo.key"
    clients.write_text(f'[[client]]\nid = "{CLIENT}"\n', encoding="utf-8")
    key.touch(mode=0o600)
    key.write_text(new_master_key(), encoding="utf-8")
    given = {
        "AUTHBUS_DATA": str(folder / "data"),
        "AUTHBUS_HTTP_PORT": "0",
        "AUTHBUS_TOPICS": "apply",
        "AUTHBUS_CLIENTS": str(clients),
    }
    if settings.master_key is None:
        given["AUTHBUS_MASTER_KEY_FILE"] = str(key)
    else:
        given["AUTHBUS_MASTER_KEY"] = key.read_text(encoding="utf-8")
    if settings.kafka_bootstrap_servers is not None:
        made = throw_away.namespace(settings.kafka_bootstrap_servers, CLIENT, settings.security())
        given["AUTHBUS_NAMESPACE"] = await stack.enter_async_context(made)
    if settings.database_url is not None:
        fresh = throw_away.database(settings.database_url.get_secret_value())
        given["DATABASE_URL"] = await stack.enter_async_context(fresh)
    return given
