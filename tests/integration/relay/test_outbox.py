"""Rows come back in the order in which they were written, as they were written."""

import random
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import false, true

from authbus import topics
from authbus_service.outbox.again import say_again
from authbus_service.outbox.repository import CHANNEL, Record, Said, append, oldest, remove
from tests.integration.relay.world import World, a_record
from tests.rig.crowd import until


async def stored(world: World, limit: int = 1000) -> list[Said]:
    async with world.database.reading() as db:
        return [row.said for row in await oldest(db, limit)]


async def test_positions_follow_the_order_of_the_list(world: World) -> None:
    records = [a_record() for _ in range(700)]
    random.shuffle(records)

    await world.write(*records[:500])
    await world.write(*records[500:])

    assert [said.id for said in await stored(world)] == [record.id for record in records]


async def test_a_record_comes_back_as_it_was_written(world: World) -> None:
    record = Record(
        id=uuid4(),
        topic=topics.USERS_STATE,
        key="ключ",
        type="authbus.UserState.v1",
        payload=bytes(range(256)),
        headers=[("twice", b"1"), ("twice", "zwölf\n\t\"'\\".encode()), ("empty", b"")],
    )

    await world.write(record, a_record(payload=None))

    async with world.database.reading() as db:
        found, tombstone = await oldest(db, 10)
    assert found.said.id == record.id
    assert found.topic == "state.users.v1"
    assert (found.key, found.type, found.payload) == (record.key, record.type, record.payload)
    assert found.headers == record.headers
    assert tombstone.payload is None


async def test_a_rolled_back_transaction_leaves_nothing_to_say(world: World) -> None:
    async with world.database.engine.connect() as db:
        await append(db, [a_record()])
        await db.rollback()

    assert await world.waiting() == 0


async def test_a_header_that_is_not_text_is_refused_before_anything_is_written(
    world: World,
) -> None:
    wrong = Record(
        id=uuid4(),
        topic=topics.EVENTS,
        key="ana",
        type="authbus.UserCreated.v1",
        payload=b"",
        headers=[("x", b"\xff")],
    )

    with pytest.raises(UnicodeDecodeError):
        await world.write(a_record(), wrong)

    assert await world.waiting() == 0


async def test_nothing_to_write_is_written_and_nobody_is_woken(world: World) -> None:
    async with world.database.transaction() as db:
        await append(db, [])

    assert await world.waiting() == 0


async def test_listeners_are_woken_once_when_the_transaction_commits(world: World) -> None:
    heard: list[str] = []
    url = world.database.engine.url.set(drivername="postgresql")
    listener = await asyncpg.connect(url.render_as_string(hide_password=False))

    def hear(_: object, __: object, ___: object, payload: object) -> None:
        heard.append(str(payload))

    await listener.add_listener(CHANNEL, hear)

    async with world.database.transaction() as db:
        await append(db, [a_record(), a_record()])
        await append(db, [a_record()])
        await listener.execute("SELECT 1")
        before = [*heard]
    await listener.execute(f"NOTIFY {CHANNEL}, 'last'")
    await until(lambda: "last" in heard)

    assert (before, heard) == ([], ["", "last"])
    await listener.close()


async def test_a_row_is_removed_by_position_and_id_together(world: World) -> None:
    await world.write(a_record(), a_record(), a_record())
    first, second, third = await stored(world)

    async with world.database.transaction() as db:
        gone = await remove(
            db, [first, Said(second.position, uuid4()), Said(99, third.id)], provided=true()
        )

    assert gone == 1
    assert await stored(world) == [second, third]


async def test_nothing_is_removed_where_the_condition_does_not_hold(world: World) -> None:
    await world.write(a_record())

    async with world.database.transaction() as db:
        gone = await remove(db, await stored(world), provided=false())

    assert gone == 0
    assert await world.waiting() == 1


async def test_what_is_said_again_is_the_same_and_waits_before_all_others(world: World) -> None:
    records = [a_record(f"{n}", None if n else bytes(range(256))) for n in range(6)]
    await world.write(*records)
    async with world.database.reading() as db:
        before = {row.said.id: row for row in await oldest(db, 10)}
    first, _, third, _, fifth, _ = before.values()

    for rows in ([third, fifth], [first], [third]):
        again = [before[row.said.id].said for row in rows]
        async with world.database.transaction() as db:
            assert await say_again(db, again, provided=true()) == len(again)
        async with world.database.reading() as db:
            after = await oldest(db, 10)
        before = {row.said.id: row for row in after}
    named = [third.said, fifth.said, first.said]
    async with world.database.transaction() as db:
        assert await remove(db, named, provided=true()) == 0

    ids = [each.id for each in records]
    assert [row.said.id for row in after] == [ids[n] for n in (2, 0, 4, 1, 3, 5)]
    assert [row.said.first_position for row in after[:3]] == [
        each.position for each in (third.said, first.said, fifth.said)
    ]
    found = {row.said.id: replace(row, said=first.said) for row in after}
    for row in (first, third, fifth):
        assert found[row.said.id] == replace(row, said=first.said)


async def test_nothing_waits_again_where_the_condition_does_not_hold(world: World) -> None:
    await world.write(a_record())
    before = await stored(world)

    async with world.database.transaction() as db:
        assert await say_again(db, before, provided=false()) == 0

    assert await stored(world) == before
