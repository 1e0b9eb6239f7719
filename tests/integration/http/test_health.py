"""What readiness tells of a service that runs, waits or is stuck."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.errors import LeaderNotAvailableError
from pydantic import SecretStr
from sqlalchemy import text

from authbus.commands import GetProfile
from authbus.topics import ACCOUNTS, ADMIN, CREDENTIALS, SESSIONS
from authbus_service.consumers.service import Consumers
from authbus_service.consumers.went_back import Guard
from authbus_service.core.database import Database, connect
from authbus_service.embedded import Addresses
from authbus_service.http import Readiness
from authbus_service.inbox.fence import Place
from authbus_service.relay.state import RelayState
from authbus_service.startup import health
from authbus_service.startup.gauges import bind_gauges
from authbus_service.startup.health import Health
from tests.rig.scraping import scraped
from tests.rig.topics import FEW
from tests.rig.world import World

ASKED = GetProfile(access_token=SecretStr("none"))


def health_of(consumers: Consumers, database: Database) -> Health:
    return Health(lambda: True, database, consumers, RelayState(leading=True))


async def until(health: Health, is_so: Callable[[Readiness], bool]) -> Readiness:
    async with asyncio.timeout(10):
        while True:
            found = await health()
            if is_so(found):
                return found
            await asyncio.sleep(0.05)


async def test_a_running_service_is_ready_and_names_its_partitions(world: World) -> None:
    async with world.consuming() as consumers:
        found = await until(health_of(consumers, world.database), lambda it: not it.reasons)

    credentials, cheap = (found.seen["consumers"][name] for name in ("credentials", "cheap"))
    assert credentials["assignment"] == {CREDENTIALS.suffix: [*range(FEW)]}
    assert cheap["assignment"] == {
        topic.suffix: [*range(FEW)] for topic in (ACCOUNTS, ADMIN, SESSIONS)
    }
    assert credentials["last_poll_seconds"] < 5
    assert credentials["oldest_unfinished"] is None
    assert found.seen["relay"] == {"role": "leads", "lag_seconds": 0.0}
    assert found.seen["database"] == "answers"


async def test_before_its_consumers_have_joined_a_service_is_not_ready(world: World) -> None:
    async with world.consuming() as consumers:
        await until(health_of(consumers, world.database), lambda it: not it.reasons)
        left = health_of(consumers, world.database)
    starting = replace(left, runs=lambda: False)

    found = await starting()

    assert found.reasons == [
        "the service starts or stops",
        "credentials: no member of its Kafka group",
        "cheap: no member of its Kafka group",
    ]


async def test_a_record_that_stays_unfinished_is_a_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_STUCK_SECONDS", 0.2)
    hung, goes_on = asyncio.Event(), asyncio.Event()

    async def wait(_: object) -> None:
        hung.set()
        await goes_on.wait()

    async with world.consuming() as consumers:
        look = health_of(consumers, world.database)
        monkeypatch.setattr(consumers.intakes[1].lanes, "_handle", wait)
        sent = await world.web.send(world.web.draft(ASKED))
        await asyncio.wait_for(hung.wait(), 10)
        stuck = await until(look, lambda it: bool(it.reasons))
        goes_on.set()

    oldest = stuck.seen["consumers"]["cheap"]["oldest_unfinished"]
    where = f"offset {sent.offset} of {ACCOUNTS.suffix}/{sent.partition}"
    assert stuck.reasons[0].startswith(f"cheap: {where} has been unfinished for ")
    assert oldest.pop("age_seconds") >= 0
    assert oldest == {
        "topic": ACCOUNTS.suffix,
        "partition": sent.partition,
        "offset": sent.offset,
    }


async def test_a_guard_that_nobody_answers_is_a_reason_and_no_partition_counts_as_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = True
    answered = Guard.__call__

    async def asked(guard: Guard, committed: Mapping[Place, int]) -> None:
        if away:
            raise LeaderNotAvailableError
        await answered(guard, committed)

    monkeypatch.setattr(Guard, "__call__", asked)
    async with world.consuming() as consumers:
        look = health_of(consumers, world.database)
        metrics = consumers.watch.metrics
        bind_gauges(metrics, consumers.intakes, consumers.house, RelayState(), world.hashes)
        begins = await until(look, lambda it: not it.reasons)
        unread = scraped(metrics, ["assigned_partitions"])
        monkeypatch.setattr(health, "_SHUT_SECONDS", 0.2)
        shut = await until(look, lambda it: len(it.reasons) == 2)
        away = False
        await until(look, lambda it: not it.reasons)
        read = scraped(metrics, ["assigned_partitions"])

    assert begins.seen["consumers"]["credentials"]["assignment"] is not None
    assert [each.partition(" for ")[0] for each in shut.reasons] == [
        "credentials: the fence has not been known",
        "cheap: the fence has not been known",
    ]
    assert unread == {}
    assert read == {"assigned_partitions": {("credentials",): FEW, ("cheap",): 3 * FEW}}


async def test_a_database_that_is_away_is_a_reason(world: World, addresses: Addresses) -> None:
    nobody = connect("postgresql+asyncpg://authbus@127.0.0.1:9/authbus")
    async with world.consuming() as consumers:
        await until(health_of(consumers, world.database), lambda it: not it.reasons)

        found = await health_of(consumers, nobody)()

    assert found.reasons == ["PostgreSQL does not answer"]
    assert found.seen["relay"]["lag_seconds"] is None
    await nobody.close()


async def test_an_event_that_nobody_says_is_a_reason(world: World) -> None:
    async with world.database.transaction() as db:
        await db.execute(
            text(
                "INSERT INTO outbox (id, aggregatetype, aggregateid, type, headers, timestamp)"
                " VALUES (gen_random_uuid(), 'events.v1', 'k', 't', '[]', :at)"
            ),
            {"at": datetime.now(UTC) - timedelta(minutes=2)},
        )
    async with world.consuming() as consumers:
        found = await until(health_of(consumers, world.database), lambda it: len(it.reasons) == 1)

    assert found.reasons[0].startswith("the relay is behind: an event has waited for 12")
    assert found.seen["relay"]["lag_seconds"] > 100
