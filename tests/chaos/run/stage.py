"""Where a run happens: one broker, one PostgreSQL, and a copy of each row of the outbox."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from authbus.topics import DEFAULT_NAMESPACE
from authbus_service.embedded import EmbeddedStack
from tests.chaos.commits import CommitProxy
from tests.chaos.proxy import Proxy
from tests.chaos.rig import proxied_listener
from tests.chaos.run.disks import Disks, disks_of
from tests.drill.stage import a_stage

CLIENTS = ("web", "app", "desk", "kiosk")
NAMESPACE = DEFAULT_NAMESPACE
# The relay deletes what it has said, so the test keeps a book of its own of what was committed.
_BOOK = """
CREATE SCHEMA chaos;
CREATE TABLE chaos.book (
    position bigint, transaction bigint, id uuid, topic text, key text, type text,
    payload bytea, headers jsonb
);
CREATE FUNCTION chaos.note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chaos.book VALUES (
        NEW.position, txid_current(), NEW.id, NEW.aggregatetype, NEW.aggregateid, NEW.type,
        NEW.payload, NEW.headers
    );
    RETURN NULL;
END $$;
CREATE TRIGGER note AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION chaos.note();
"""


@dataclass(frozen=True)
class Stage:
    """`folder` is the run's own, with the logs in it; `settings` are the service's.

    The services, and who operates them, speak to the broker through `proxy` and to PostgreSQL
    through `commits`.
    """

    folder: Path
    stack: EmbeddedStack
    settings: Mapping[str, str]
    proxy: Proxy
    commits: CommitProxy
    disks: Disks | None

    @property
    def orders(self) -> Path:
        """Where a service finds at which point of its work to die."""
        return self.folder / "orders"

    @property
    def servers(self) -> str:
        return self.stack.addresses.bootstrap_servers

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection of the test's own, closed at the end."""
        url = self.stack.addresses.database_url.replace("+asyncpg", "")
        connection = await asyncpg.connect(url, timeout=5, command_timeout=20)
        try:
            yield connection
        finally:
            connection.terminate()


@asynccontextmanager
async def staged(folder: Path, *, small_disks: bool) -> AsyncGenerator[Stage]:
    """Servers, tables, the book, and four clients that may ask."""
    disks = disks_of(folder / "servers") if small_disks else None
    listener = proxied_listener()
    planned = listener.stack(postgres=True, data=folder / "servers")
    async with AsyncExitStack() as opened:
        opened.enter_context(disks.mounted() if disks else nullcontext())
        usual = await opened.enter_async_context(a_stage(folder, planned))
        proxy = await opened.enter_async_context(listener.proxy())
        url = make_url(usual.stack.addresses.database_url)
        commits = await opened.enter_async_context(CommitProxy(url.port or 0))
        clients = folder / "four_clients.toml"
        clients.write_text("".join(f'[[client]]\nid = "{each}"\n' for each in CLIENTS))
        settings = {
            **usual.settings,
            "AUTHBUS_CLIENTS": str(clients),
            "KAFKA_BOOTSTRAP_SERVERS": listener.proxied,
            "DATABASE_URL": url.set(port=commits.port).render_as_string(hide_password=False),
        }
        stage = Stage(folder, usual.stack, settings, proxy, commits, disks)
        stage.orders.mkdir()
        async with stage.database() as db:
            await db.execute(_BOOK)
        yield stage
