"""Two processes of the service, all that they need, and each part of it put out of action."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from authbus import AuthClient, EventStream, Verifier
from authbus_service.core.database import Database
from authbus_service.embedded import EmbeddedStack
from tests.rig.failing import Users
from tests.rig.post import posting
from tests.rig.processes import ServiceProcess, serving

_AWAY = text(
    "UPDATE relay_lease SET holder = gen_random_uuid(), number = number + 1,"
    " renewed_at = clock_timestamp()"
)
_LEADS = re.compile(r"^authbus_relay_leads\{.*\} 1\.0$", re.MULTILINE)
_BACK = text("UPDATE relay_lease SET renewed_at = '-infinity'")


@dataclass
class Place:
    """`usual` is a verifier as it comes, `lax` one that takes tokens however old its feed is."""

    stack: EmbeddedStack
    database: Database
    processes: tuple[ServiceProcess, ServiceProcess]
    posts: ExitStack
    post_port: int
    users: Users
    usual: Verifier
    lax: Verifier

    async def leaders(self) -> list[ServiceProcess]:
        """Whose relay leads."""
        told = [await asyncio.to_thread(each.metrics) for each in self.processes]
        pairs = zip(self.processes, told, strict=True)
        return [process for process, metrics in pairs if _LEADS.search(metrics)]


@asynccontextmanager
async def a_place(
    stack: EmbeddedStack,
    database: Database,
    settings: Mapping[str, str],
    logs: Path,
    *,
    missed_after: float,
) -> AsyncGenerator[Place]:
    """Everything works; a killed process is missed after so many seconds."""
    async with AsyncExitStack() as opened:
        posts = opened.enter_context(ExitStack())
        post = posts.enter_context(posting())
        here = {**settings, **_mailing(post.port)}
        one, two = [
            await opened.enter_async_context(serving(here, logs / f"{each}.log", missed_after))
            for each in ("one", "two")
        ]
        servers, web = settings["KAFKA_BOOTSTRAP_SERVERS"], "web"
        where: Any = {"namespace": settings["AUTHBUS_NAMESPACE"], "trust": one.told["trust"]}
        client = AuthClient(servers, client_id=web, timeout=30, **where)
        auth = await opened.enter_async_context(client)
        kinds: list[dict[str, Any]] = [{}, {"on_stale": "accept"}]
        verifiers = [
            await opened.enter_async_context(Verifier(servers, audience=web, **where, **how))
            for how in kinds
        ]
        users = Users(auth)
        stream = EventStream(
            servers, group=f"{where['namespace']}-told", namespace=where["namespace"]
        )
        following = asyncio.create_task(users.follow(await opened.enter_async_context(stream)))
        opened.push_async_callback(_ended, following)
        await users.come()
        yield Place(stack, database, (one, two), posts, post.port, users, *verifiers)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _mailing(port: int) -> dict[str, str]:
    return {
        "AUTHBUS_SMTP_URL": f"smtp+plain://127.0.0.1:{port}",
        "AUTHBUS_MAIL_FROM": "auth@example.com",
        "AUTHBUS_LINK_BASE_URL": "https://www.example.com",
    }


@asynccontextmanager
async def _without_kafka(place: Place) -> AsyncGenerator[None]:
    await place.stack.kill_kafka()
    try:
        yield
    finally:
        await place.stack.restart_kafka()


@asynccontextmanager
async def _without_postgresql(place: Place) -> AsyncGenerator[None]:
    await place.stack.kill_postgres()
    try:
        yield
    finally:
        await place.stack.restart_postgres()


@asynccontextmanager
async def _without_one_process(place: Place) -> AsyncGenerator[None]:
    """For good; it is the one whose relay leads."""
    (leader,) = await place.leaders()
    await leader.kill()
    yield


@asynccontextmanager
async def _without_a_relay(place: Place) -> AsyncGenerator[None]:
    """One has the lease that says nothing."""
    other = asyncio.create_task(_renewing(place.database))
    try:
        while await place.leaders():  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.05)
        yield
    finally:
        other.cancel()
        await asyncio.wait([other])
    async with place.database.transaction() as db:
        await db.execute(_BACK)


async def _renewing(database: Database) -> None:
    while True:
        async with database.transaction() as db:
            await db.execute(_AWAY)
        await asyncio.sleep(0.2)


@asynccontextmanager
async def _without_mail(place: Place) -> AsyncGenerator[None]:
    place.posts.close()
    yield
    place.posts.enter_context(posting(place.post_port))


BREAKS: Mapping[str, Callable[[Place], AbstractAsyncContextManager[None]]] = {
    "Kafka": _without_kafka,
    "PostgreSQL": _without_postgresql,
    "the relay, in every process": _without_a_relay,
    "the SMTP server": _without_mail,
    "one process of the service": _without_one_process,
}
