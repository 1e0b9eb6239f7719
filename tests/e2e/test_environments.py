"""Two environments on one Kafka, whose names begin alike: neither notices the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from authbus import AuthClient, AuthRejected, Verifier
from authbus.errors import TokenInvalid
from authbus.topics import (
    AUDIT,
    COMMAND_TOPICS,
    CREDENTIALS,
    EVENTS,
    KEYS_STATE,
    RELAY,
    SESSIONS_ENDED,
    TOPICS,
    USERS_STATE,
    Topic,
    replies,
)
from authbus_service.core.database import Database
from authbus_service.embedded import Addresses
from tests.rig.databases import drop_database, migrated_database
from tests.rig.processes import ServiceProcess, serving
from tests.rig.steady import Steady
from tests.rig.topics import forget, records

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(600)]

USERS, RATE, SECONDS, SLOWEST = 60, 12.0, 30.0, 3.0
REPLIES = replies("web")
SAID = (CREDENTIALS, EVENTS, USERS_STATE, KEYS_STATE, SESSIONS_ENDED, AUDIT, RELAY, REPLIES)


@dataclass(frozen=True, slots=True)
class Environment:
    """One namespace with its process and its people."""

    namespace: str
    process: ServiceProcess
    steady: Steady
    verifier: Verifier

    def restarts(self) -> float:
        """How often its relay had to start over."""
        lines = self.process.metrics().splitlines()
        counts = [float(each.split()[-1]) for each in lines if "relay_restarts_total{" in each]
        assert counts
        return sum(counts)


@pytest.fixture
async def environments(
    settings: Mapping[str, str],
    database: Database,
    addresses: Addresses,
    tmp_path: Path,
) -> AsyncIterator[list[Environment]]:
    """Two with the same master key and the same people: nothing but the namespace parts them."""
    first = settings["AUTHBUS_NAMESPACE"]
    other = {
        **settings,
        "AUTHBUS_NAMESPACE": f"{first}-b",
        "DATABASE_URL": await migrated_database(addresses),
    }
    async with AsyncExitStack() as opened:
        yield [
            await opened.enter_async_context(an_environment(each, tmp_path))
            for each in (settings, other)
        ]
    await drop_database(addresses, other["DATABASE_URL"])
    await forget(addresses.bootstrap_servers, f"{first}-b")


@asynccontextmanager
async def an_environment(settings: Mapping[str, str], logs: Path) -> AsyncGenerator[Environment]:
    namespace, servers = settings["AUTHBUS_NAMESPACE"], settings["KAFKA_BOOTSTRAP_SERVERS"]
    async with serving(settings, logs / f"{namespace}.log") as process:
        trust = process.told["trust"]
        async with (
            AuthClient(servers, client_id="web", namespace=namespace, trust=trust) as auth,
            Verifier(servers, audience="web", namespace=namespace, trust=trust) as verifier,
        ):
            steady = Steady(auth, "user", USERS, RATE, timeout=60)
            await steady.come()
            yield Environment(namespace, process, steady, verifier)


async def ids(servers: str, topic: Topic, namespace: str) -> Counter[bytes]:
    """How often each id is on a topic; a manifest of the relay has none, it stands for itself.

    What a relay asks its own topic by, when it begins, says nothing and is the same of all.
    """
    found = [record async for record in records(servers, topic, namespace)]
    names = (dict(each.headers).get("ce_id") or each.value for each in found)
    return Counter(each for each in names if each)


async def causes(servers: str, topic: Topic, namespace: str) -> set[bytes]:
    """The ids of the commands of which a topic tells."""
    found = [dict(record.headers) async for record in records(servers, topic, namespace)]
    return {cause for each in found if (cause := each.get("ce_causationid"))}


async def test_a_relay_that_is_killed_in_one_environment_is_not_noticed_in_the_other(
    environments: list[Environment], addresses: Addresses
) -> None:
    one, other = environments
    before = other.restarts()
    async with one.steady.load(), other.steady.load():
        await asyncio.sleep(SECONDS / 3)
        usual = other.steady.quantile(0.99)
        await one.process.kill()
        await one.process.start()
        await asyncio.sleep(2 * SECONDS / 3)
    for each in environments:
        print(f"{each.namespace}: {each.steady.figures()}")  # noqa: T201

    assert other.restarts() == before
    assert max(other.steady.took) < SLOWEST + usual
    assert not other.steady.again
    for topic in (*TOPICS, REPLIES):
        servers = addresses.bootstrap_servers
        mine, theirs = [await ids(servers, topic, each.namespace) for each in environments]
        assert bool(mine) == bool(theirs) == (topic in SAID), topic
        assert mine.keys().isdisjoint(theirs), topic
        if topic in (EVENTS, *COMMAND_TOPICS):
            assert set((mine + theirs).values()) <= {1}
    for each in environments:
        asked = (await ids(addresses.bootstrap_servers, CREDENTIALS, each.namespace)).keys()
        for topic in (*TOPICS, REPLIES):
            assert await causes(addresses.bootstrap_servers, topic, each.namespace) <= asked, topic
    for each, stranger in ((one, other), (other, one)):
        await are_apart(each, stranger)


async def are_apart(mine: Environment, strange: Environment) -> None:
    """A session of the one is nothing in the other, and each event tells of its own sessions."""
    session = mine.steady.sessions[-1]
    assert mine.verifier.verify(session.access_token).session_id == session.session_id
    with pytest.raises(TokenInvalid):
        strange.verifier.verify(session.access_token)
    with pytest.raises(AuthRejected, match="invalid_token"):
        await strange.steady.auth.refresh(session)
    with pytest.raises(AuthRejected, match="invalid_token"):
        await strange.steady.auth.sessions.list(session.access_token)
    users = {each.user_id for each in mine.steady.sessions}
    assert users.isdisjoint({each.user_id for each in strange.steady.sessions})
    assert len(users) == USERS
