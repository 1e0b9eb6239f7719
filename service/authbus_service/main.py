"""The wiring: the only file that knows everyone.

What is started last is stopped first: consumers stop taking and finish, the relay says what is
left, then HTTP, the hash pool and the database are closed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Self
from uuid import UUID

from faststream.asgi import AsgiFastStream

from authbus_service.cluster.installation import settle
from authbus_service.consumers.service import Consumers
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.logging import get_logger
from authbus_service.core.metrics import Metrics, Stage
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.watch import Watch
from authbus_service.http import HttpServer, PortError, Probes, application
from authbus_service.relay.loop import Pace, Relay
from authbus_service.relay.spans import spans_of
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.database import bring_to_newest, open_database, require_newest
from authbus_service.startup.errors import StartupError
from authbus_service.startup.fence import require_fence
from authbus_service.startup.gauges import bind_gauges
from authbus_service.startup.hashing import hash_pool
from authbus_service.startup.health import Health
from authbus_service.startup.keys import open_keyring
from authbus_service.startup.mail import sending
from authbus_service.startup.outages import outages_told
from authbus_service.startup.relaying import run_relay
from authbus_service.startup.roles import declared_roles
from authbus_service.startup.self_check import self_check
from authbus_service.startup.servers import Servers, addresses
from authbus_service.startup.topics import require_topics
from authbus_service.startup.tracing import open_traces
from authbus_service.startup.under_masters import require_masters
from authbus_service.startup.watchdog import Answering, under_watch

_FINISH_SECONDS = 18.0
_LEAVE_SECONDS = 4.0

_log = get_logger(__name__)


class Service:
    """A service that runs for the length of a block, on servers that are there.

    Entering raises StartupError, ClusterError, ConfigError, MasterKeyError or
    DatabaseWentBackError, each with its cure, and leaves nothing running.
    """

    def __init__(self, servers: Servers) -> None:
        """Nothing is connected yet."""
        self._servers = servers
        self._settings = servers.settings
        self._kafka, self._database_url = addresses(servers.settings)
        self._security = servers.settings.security()
        self._clients = declared_clients(servers.settings.clients, own_kafka=servers.own_kafka)
        self._roles = declared_roles(servers.settings, self._clients)
        self._masters = servers.settings.masters()
        self._metrics = Metrics()
        self._traces = open_traces(servers.settings.traces)
        self._watch = Watch(self._metrics, self._traces)
        self._stack = AsyncExitStack()
        self._ends: list[asyncio.Future[None]] = []
        self._runs = False
        self.http_url = ""
        self.trust = ""

    async def __aenter__(self) -> Self:
        """Start; returns when commands are taken."""
        async with AsyncExitStack() as stack:
            with outages_told():
                await self._start(stack)
            self._stack = stack.pop_all()
        self._runs = True
        _log.info("the service runs", http=self.http_url, clients=sorted(self._clients))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop: finish what was taken, say what is left."""
        self._runs = False
        await self._stack.aclose()
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)
        _log.info("the service has stopped")

    async def failed(self) -> None:
        """Wait until something that should run for ever has ended; raises what ended it."""
        ended, _ = await asyncio.wait(self._ends, return_when=asyncio.FIRST_COMPLETED)
        for each in ended:
            each.result()

    async def _start(self, stack: AsyncExitStack) -> None:
        database = open_database(self._database_url)
        stack.push_async_callback(database.close)
        epoch = await self._settle(database)
        keyring = await open_keyring(database, self._masters)
        await require_masters(database, self._masters)
        self.trust = self._masters.root_thumbprint()
        hashes = await self._hash_pool()
        stack.callback(hashes.close)
        relay = self._relay(database, epoch, hashes)
        consumers = self._consumers(database, keyring, hashes, relay)
        await self._require_fence(database, consumers)
        bind_gauges(self._metrics, consumers.intakes, consumers.house, relay.state, hashes)
        ready = Health(lambda: self._runs, database, consumers, relay.state)
        app = self._application(consumers, keyring, ready)
        await self._serve_http(app, stack)
        self._ends.append(run_relay(relay, database, stack))
        mails = sending(self._servers, database, self._masters, self._metrics)
        self._ends.append(await stack.enter_async_context(mails))
        stack.push_async_callback(_in_time, "subscribers", app.stop, _LEAVE_SECONDS)
        stack.push_async_callback(_in_time, "consumers", consumers.stop, _FINISH_SECONDS)
        await consumers.start()
        await app.start()
        if consumers.failure is not None:
            self._ends.append(consumers.failure)
        self._ends.append(await stack.enter_async_context(self._watchdog(consumers, relay)))

    async def _settle(self, database: Database) -> UUID:
        """Database and topics are as they must be and belong together; returns the epoch."""
        await (bring_to_newest if self._servers.own_database else require_newest)(database)
        cluster = await require_topics(
            self._kafka,
            self._security,
            namespace=self._settings.namespace,
            clients=self._clients,
            how=self._settings.topics,
        )
        await self_check(self._servers, database, self._clients, cluster.findings)
        return await settle(database, namespace=self._settings.namespace, cluster_id=cluster.id)

    async def _require_fence(self, database: Database, consumers: Consumers) -> None:
        await require_fence(
            database,
            self._kafka,
            self._security,
            namespace=self._settings.namespace,
            groups=consumers.groups,
        )

    async def _hash_pool(self) -> HashPool:
        around = partial(self._watch.stage, Stage.HASH)
        return await asyncio.to_thread(hash_pool, self._settings, around)

    def _relay(self, database: Database, epoch: UUID, hashes: HashPool) -> Relay:
        relay = Relay(
            database,
            bootstrap_servers=self._kafka,
            security=self._settings.relay_security(),
            namespace=self._settings.namespace,
            epoch=epoch,
            holder=new_id(),
            pace=Pace(gather=lambda: hashes.slack_seconds),
        )
        if self._traces is not None:
            relay.around = partial(spans_of, self._traces, self._settings.namespace)
        return relay

    def _consumers(
        self, database: Database, keyring: KeyRing, hashes: HashPool, relay: Relay
    ) -> Consumers:
        return Consumers(
            database=database,
            settings=self._settings,
            bootstrap_servers=self._kafka,
            security=self._security,
            clients=self._clients,
            keyring=keyring,
            hashes=hashes,
            wake_relay=relay.wake,
            roles=self._roles,
            watch=self._watch,
        )

    def _application(self, consumers: Consumers, keyring: KeyRing, ready: Health) -> AsgiFastStream:
        shown = partial(self._metrics.exposed, self._settings.namespace)
        probes = Probes(ready, keyring.jwks, shown, self._settings.namespace)
        return application(consumers.broker, probes)

    def _watchdog(
        self, consumers: Consumers, relay: Relay
    ) -> AbstractAsyncContextManager[asyncio.Future[None]]:
        kafka = {"bootstrap_servers": self._kafka, **self._security}
        servers = Answering(kafka, self._database_url)
        seconds = self._settings.watchdog_seconds
        return under_watch(consumers, relay.state, servers, seconds=seconds)

    async def _serve_http(self, app: AsgiFastStream, stack: AsyncExitStack) -> None:
        if self._settings.http_port is None:
            return
        http = HttpServer(app, host=self._settings.http_host, port=self._settings.http_port)
        try:
            await http.start()
        except PortError as error:
            raise StartupError(str(error)) from None
        stack.push_async_callback(http.stop)
        self.http_url = http.url


async def _in_time(what: str, stop: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Stop something that may wait for a Kafka that is gone."""
    try:
        async with asyncio.timeout(seconds):
            await stop()
    except TimeoutError:
        _log.warning("did not stop in time", what=what)
