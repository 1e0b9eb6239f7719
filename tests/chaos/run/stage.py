"""Where a run happens: one broker or three, one PostgreSQL, a copy of each row of the outbox."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from authbus.topics import DEFAULT_NAMESPACE
from authbus_service.embedded import EmbeddedStack
from tests.chaos.commits import CommitProxy
from tests.chaos.nodes.cluster import Cluster, a_cluster
from tests.chaos.proxy import Proxy
from tests.chaos.rig import proxied_listener
from tests.chaos.run import disks, nodes
from tests.chaos.run.disks import Disks, disks_of
from tests.drill.stage import Stage as Usual
from tests.drill.stage import a_stage
from tests.rig.post import Post

CLIENTS = ("web", "app", "desk", "kiosk")
NAMESPACE = DEFAULT_NAMESPACE
# The relay deletes what it has said, so the test keeps a book of its own of what was committed.
# What it says again is none of it: see outbox/again.py.
BOOK = """
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
CREATE TRIGGER note AFTER INSERT ON outbox FOR EACH ROW
    WHEN (NEW.position > 0) EXECUTE FUNCTION chaos.note();
"""


@dataclass(frozen=True)
class Kafka:
    """`servers` are for who looks, `to_services` for the services, and who operates them.

    Between these and each broker stands a `proxy`.
    """

    servers: str
    to_services: str
    proxy: Proxy
    cluster: Cluster | None = None


@dataclass(frozen=True)
class Stage:
    """`folder` is the run's own, with the logs in it; `settings` are the service's.

    The services, and who operates them, speak to PostgreSQL through `commits`. `disks` are the
    servers' own, where they can be full. `post` takes the services' mails.
    """

    folder: Path
    stack: EmbeddedStack
    settings: Mapping[str, str]
    kafka: Kafka
    commits: CommitProxy
    disks: Disks | None
    post: Post

    @property
    def orders(self) -> Path:
        """Where a service finds at which point of its work to die."""
        return self.folder / "orders"

    @property
    def servers(self) -> str:
        return self.kafka.servers

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection of the test's own, closed at the end."""
        url = self.stack.addresses.database_url.replace("+asyncpg", "")
        connection = await asyncpg.connect(url, timeout=5, command_timeout=20)
        try:
            yield connection
        finally:
            connection.terminate()


async def _one(folder: Path, opened: AsyncExitStack) -> tuple[Usual, Kafka]:
    """A broker behind a proxy."""
    listener = proxied_listener()
    planned = listener.stack(postgres=True, data=folder / "servers")
    usual = await opened.enter_async_context(a_stage(folder, planned))
    proxy = await opened.enter_async_context(listener.proxy())
    return usual, Kafka(listener.direct, listener.proxied, proxy)


async def _three(folder: Path, opened: AsyncExitStack) -> tuple[Usual, Kafka]:
    """Brokers with a door each."""
    cluster = await opened.enter_async_context(a_cluster(folder))
    planned = EmbeddedStack(data=folder / "servers", kafka=False)
    usual = await opened.enter_async_context(a_stage(folder, planned))
    return usual, Kafka(cluster.servers, cluster.proxied, cluster.proxy, cluster)


@asynccontextmanager
async def staged(folder: Path, menu: Collection[str]) -> AsyncGenerator[Stage]:
    """Servers to which all on this menu can be done, tables, the book, four clients."""
    async with AsyncExitStack() as opened:
        small = disks_of(folder / "servers") if {*disks.MENU} & {*menu} else None
        if small is not None:
            opened.enter_context(small.mounted())
        three = bool({*nodes.MENU} & {*menu})
        usual, kafka = await (_three if three else _one)(folder, opened)
        url = make_url(usual.stack.addresses.database_url)
        commits = await opened.enter_async_context(CommitProxy(url.port or 0))
        clients = folder / "four_clients.toml"
        clients.write_text("".join(f'[[client]]\nid = "{each}"\n' for each in CLIENTS))
        settings = {
            **usual.settings,
            "AUTHBUS_CLIENTS": str(clients),
            "KAFKA_BOOTSTRAP_SERVERS": kafka.to_services,
            "DATABASE_URL": url.set(port=commits.port).render_as_string(hide_password=False),
        }
        stage = Stage(folder, usual.stack, settings, kafka, commits, small, usual.post)
        stage.orders.mkdir()
        async with stage.database() as db:
            await db.execute(BOOK)
        yield stage
