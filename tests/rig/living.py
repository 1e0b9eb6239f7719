"""A service whose accounts live a whole life, on servers that nobody else uses."""

import base64
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from pydantic import SecretStr

from authbus import AuthClient
from authbus_service.core import clock
from authbus_service.core.database import connect
from authbus_service.core.migrations import migrate
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import operator_token
from authbus_service.embedded import Addresses, EmbeddedStack
from tests.rig.life import Life
from tests.rig.post import posting
from tests.rig.processes import serving

_USUAL: Mapping[str, str] = MappingProxyType({})


@asynccontextmanager
async def living(
    folder: Path, master: bytes | None = None, broker_config: Mapping[str, str] = _USUAL
) -> AsyncGenerator[tuple[Life, Addresses]]:
    """A service on servers of its own, whose files are below the folder; mails come by SMTP.

    Its master key is a new one unless it is given.
    """
    with posting() as post:
        async with EmbeddedStack(data=folder / "servers", broker_config=broker_config) as stack:
            (folder / "clients.toml").write_text('[[client]]\nid = "web"\n')
            database = connect(stack.addresses.database_url)
            await migrate(database)
            await database.close()
            key = base64.b64encode(master or os.urandom(32)).decode()
            settings = {
                "KAFKA_BOOTSTRAP_SERVERS": stack.addresses.bootstrap_servers,
                "DATABASE_URL": stack.addresses.database_url,
                "AUTHBUS_TOPICS": "apply",
                "AUTHBUS_CLIENTS": str(folder / "clients.toml"),
                "AUTHBUS_MASTER_KEY": key,
                "AUTHBUS_HTTP_PORT": "0",
                "AUTHBUS_LOG_LEVEL": "debug",
                "AUTHBUS_ARGON2_MEMORY_KIB": "64",
                "AUTHBUS_SMTP_URL": post.url,
                "AUTHBUS_MAIL_FROM": "auth@example.com",
                "AUTHBUS_LINK_BASE_URL": "https://www.example.com/account",
            }
            async with serving(settings, folder / "service.log") as service:
                servers, trust = (str(service.told[each]) for each in ("kafka", "trust"))
                async with AuthClient(servers, client_id="web", trust=trust) as auth:
                    masters = Masters.read(SecretStr(key), None)
                    yield Life(auth, post, partial(_proof, masters), trust), stack.addresses


def _proof(masters: Masters, command_id: UUID) -> str:
    return operator_token(masters, issuer="authbus/auth", command_id=command_id, at=clock.now())
