"""Where a drill happens: servers of its own, a service that is started again, a town."""

import base64
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr

from authbus import AuthClient, Verifier
from authbus.topics import DEFAULT_NAMESPACE
from authbus_service.core.database import connect
from authbus_service.core.ids import new_id
from authbus_service.core.migrations import migrate
from authbus_service.core.security.masters import Masters
from authbus_service.embedded import EmbeddedStack
from tests.drill.mailbox import Mailbox
from tests.drill.person import Town
from tests.rig.command_line import authbus
from tests.rig.operators import proof
from tests.rig.post import Post, posting
from tests.rig.processes import ServiceProcess, serving

_ROOT, _PASSWORD = "root@example.org", "an old and long password"
_ANSWER_SECONDS = 5.0
_COMMAND_SECONDS = 300


@dataclass(frozen=True)
class Stage:
    """`folder` is the drill's own; files that are to be looked at later stay in it."""

    folder: Path
    stack: EmbeddedStack
    settings: Mapping[str, str]
    post: Post

    def serving(self, name: str) -> AbstractAsyncContextManager[ServiceProcess]:
        """The service as a process, with its log under this name."""
        return serving(self.settings, self.folder / f"{name}.log")

    async def authbus(self, *arguments: str) -> tuple[int, str, str]:
        """The command line: exit code, standard output, standard error."""
        return await authbus(self.settings, *arguments, within=_COMMAND_SECONDS)

    @asynccontextmanager
    async def town(self, trust: str) -> AsyncGenerator[tuple[Town, Verifier]]:
        """Clients that live on over the accident, and an administrator."""
        servers = self.stack.addresses.bootstrap_servers
        async with (
            AuthClient(servers, client_id="web", trust=trust, timeout=_ANSWER_SECONDS) as auth,
            Verifier(servers, audience="web", trust=trust) as verifier,
        ):
            town = Town(auth, Mailbox(self.post))
            user = await auth.register(_ROOT, _PASSWORD)
            await self._crown(auth, user.user_id)
            town.root = (await auth.log_in(_ROOT, _PASSWORD)).access_token
            yield town, verifier

    async def _crown(self, auth: AuthClient, user_id: UUID) -> None:
        masters = Masters.read(SecretStr(self.settings["AUTHBUS_MASTER_KEY"]), None)
        id_ = new_id()
        shown = proof(masters, DEFAULT_NAMESPACE, id_).get_secret_value()
        await auth.admin.grant_role(shown, user_id, "admin", command_id=id_)


@asynccontextmanager
async def a_stage(folder: Path, planned: EmbeddedStack | None = None) -> AsyncGenerator[Stage]:
    """Servers that wait for the disk, or those planned, and mails by SMTP to this process."""
    (folder / "clients.toml").write_text('[[client]]\nid = "web"\n')
    (folder / "roles.toml").write_text('[[role]]\nname = "clerk"\npermissions = ["orders:write"]\n')
    with posting() as post:
        async with planned or EmbeddedStack(data=folder / "servers") as stack:
            database = connect(stack.addresses.database_url)
            await migrate(database)
            await database.close()
            settings = {
                "KAFKA_BOOTSTRAP_SERVERS": stack.addresses.bootstrap_servers,
                "DATABASE_URL": stack.addresses.database_url,
                "AUTHBUS_TOPICS": "apply",
                "AUTHBUS_CLIENTS": str(folder / "clients.toml"),
                "AUTHBUS_ROLES": str(folder / "roles.toml"),
                "AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
                "AUTHBUS_HTTP_PORT": "0",
                "AUTHBUS_ARGON2_MEMORY_KIB": "64",
                "AUTHBUS_KEYS_RELOAD_SECONDS": "1",
                "AUTHBUS_SMTP_URL": post.url,
                "AUTHBUS_MAIL_FROM": "auth@example.com",
                "AUTHBUS_LINK_BASE_URL": "https://www.example.com/account",
            }
            yield Stage(folder, stack, settings, post)
