"""Each row becomes one record, as it was written, in each user's order."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from sqlalchemy import text, update

from authbus import topics
from authbus.state import DeadLetter
from authbus_service.core.database import connect
from authbus_service.core.installation import Installation
from authbus_service.outbox.repository import Record, Said, append
from authbus_service.relay.loop import Relay
from tests.integration.relay.world import World, a_record, running, until


class Forgetful(Relay):
    """Falls over between Kafka's commit and the delete, once."""

    fell = 0

    async def _forget(self, said: list[Said]) -> None:
        if not self.fell:
            self.fell += 1
            raise RuntimeError("fell over")
        await super()._forget(said)


class WithoutMemory(Forgetful):
    """The control: does not read what the last transaction said."""

    async def _settle(self) -> None:
        return


async def test_each_row_is_published_once_in_the_order_of_its_key(world: World) -> None:
    records = [a_record(f"user-{n % 7}", str(n).encode()) for n in range(2500)]

    async with running(world.relay()):
        for start in range(0, len(records), 100):
            await world.write(*records[start : start + 100])
        await world.until_said()

    orders: dict[bytes | None, list[int]] = defaultdict(list)
    for record in await world.read():
        orders[record.key].append(int(record.value or b""))
    assert sorted(n for order in orders.values() for n in order) == list(range(2500))
    assert all(order == sorted(order) for order in orders.values())


async def test_a_record_carries_key_value_and_headers_verbatim(world: World) -> None:
    headers = [("ce_id", b"1"), ("twice", b"a"), ("twice", "zwölf".encode()), ("empty", b"")]
    value = bytes(range(256))
    await world.write(
        Record(uuid4(), topics.USERS_STATE, "ana", "authbus.UserState.v1", value, headers),
        Record(uuid4(), topics.USERS_STATE, "ana", "authbus.UserState.v1", None, []),
    )

    async with running(world.relay()):
        await world.until_said()

    found, tombstone = await world.read(topics.USERS_STATE)
    assert found.topic == f"{world.namespace}.state.users.v1"
    assert (found.key, found.value, list(found.headers)) == (b"ana", value, headers)
    assert (tombstone.key, tombstone.value) == (b"ana", None)


async def test_a_transaction_that_commits_late_is_not_passed_over(world: World) -> None:
    late = a_record("late")

    async with running(world.relay()):
        async with world.database.transaction() as db:
            await append(db, [late])
            await world.write(a_record("early"))
            await world.until_said()
        await world.until_said(8)

    assert {record.key for record in await world.read()} == {b"early", b"late"}


async def test_what_was_said_before_a_fall_is_not_said_again(world: World) -> None:
    await world.write(*(a_record() for _ in range(20)))
    relay = world.relay(Forgetful)

    async with running(relay):
        await world.until_said()

    assert relay.state.restarts.total() == 1
    assert len(await world.read()) == 20


async def test_the_open_transaction_of_a_dead_relay_is_aborted_at_once(world: World) -> None:
    dead = AIOKafkaProducer(
        bootstrap_servers=world.servers, transactional_id=f"{world.namespace}.relay"
    )
    await dead.start()
    await dead.begin_transaction()
    await dead.send_and_wait(topics.EVENTS.name(world.namespace), b"never", b"ana")
    await dead.send_and_wait(topics.RELAY.name(world.namespace), b"never", b"manifest")
    await world.write(a_record("ana", b"once"))

    async with running(world.relay()):
        await world.until_said(8)

    with suppress(KafkaError):
        await dead.stop()
    assert [record.value for record in await world.read()] == [b"once"]


async def test_without_its_memory_a_relay_says_it_twice(world: World) -> None:
    await world.write(*(a_record() for _ in range(20)))

    async with running(world.relay(WithoutMemory)):
        await world.until_said()

    assert len(await world.read()) == 40


async def test_the_manifest_of_another_epoch_deletes_nothing(world: World) -> None:
    class Gone(Relay):
        async def _forget(self, said: list[Said]) -> None:
            await asyncio.Event().wait()

    async def said() -> bool:
        return len(await world.read()) == 3

    await world.write(a_record(), a_record(), a_record())
    async with running(world.relay(Gone)):
        await until(said)
    recovered = uuid4()
    async with world.database.transaction() as db:
        await db.execute(update(Installation).values(epoch=recovered))

    async with running(world.relay(epoch=recovered)):
        await world.until_said()

    assert len(await world.read()) == 6


@pytest.mark.parametrize("refused_by", ["relay", "broker"])
async def test_a_record_that_never_fits_becomes_a_dead_letter(
    world: World, refused_by: str
) -> None:
    size = 1_100_000 if refused_by == "relay" else 1_048_560
    giant = a_record("ana", bytes(size))
    few = [a_record("ana", str(n).encode()) for n in range(4)]
    await world.write(*few[:2], giant, *few[2:])

    async with running(world.relay()):
        await world.until_said()

    assert [record.value for record in await world.read()] == [b"0", b"1", b"2", b"3"]
    (letter,) = await world.read(topics.DEAD_LETTERS)
    told = DeadLetter.model_validate_json(letter.value or b"")
    assert (told.topic, told.reason, told.size) == ("outbox", "too_large", size)
    assert letter.key == str(giant.id).encode()
    assert len(letter.value or b"") < 1000


async def test_a_record_larger_than_a_batch_is_published(world: World) -> None:
    large = bytes(600_000)
    await world.write(a_record("ana", b"1"), a_record("ana", large), a_record("ana", b"2"))

    async with running(world.relay()):
        await world.until_said()

    assert [record.value for record in await world.read()] == [b"1", large, b"2"]


async def test_a_lost_database_is_found_again(world: World) -> None:
    relay = world.relay()
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    one = connect(world.database.engine.url.render_as_string(hide_password=False), connections=1)
    beside = replace(world, database=one)

    async with running(relay):
        written = 0
        while relay.state.restarts.total() < 3:
            await beside.write(a_record())
            written += 1
            async with one.reading() as db:
                await db.execute(cut)
            await asyncio.sleep(0.02)
        await beside.until_said()

    assert len(await world.read()) == written
    await one.close()
