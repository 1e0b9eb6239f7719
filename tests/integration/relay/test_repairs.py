"""A repair of what Kafka forgot to end may be cut off anywhere: each record is still seen once."""

# pyright: reportPrivateUsage=false

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition
from sqlalchemy import true

from authbus import topics
from authbus_service.outbox.repository import Record
from authbus_service.relay import producer as producing
from authbus_service.relay.errors import OutcomeUnknownError
from authbus_service.relay.manifest import KEY, Manifest
from authbus_service.relay.past import Past
from authbus_service.relay.producer import TransactionalProducer
from tests.integration.relay.forgotten import (
    FORGOTTEN_TO_DELETE,
    KEYS,
    OUTCOMES,
    a_producer,
    an_event,
    past_of,
    places,
    say,
    seen,
    settle,
    subsets,
)
from tests.integration.relay.world import World, a_record

UNDELETED = [each for each in OUTCOMES if "and deleted" not in each]
Case = tuple[str, Collection[TopicPartition]]


class CutError(Exception):
    """Here the process dies."""


class Cut:
    """Ends a repair at the step with this number; `done` says how many steps it took."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = self.done = 0
        self._delete, self._end, self._mark = (
            Past._delete,
            TransactionalProducer.end,
            producing._mark,
        )
        cut = self

        async def delete(past: Past, *args: Any, **options: Any) -> None:
            cut.step()
            await cut._delete(past, *args, **options)
            cut.step()

        async def end(producer: TransactionalProducer, *args: Any, **options: Any) -> None:
            await cut._end(producer, *args, **options)
            cut.step()

        monkeypatch.setattr(Past, "_delete", delete)
        monkeypatch.setattr(TransactionalProducer, "end", end)
        monkeypatch.setattr(producing, "_mark", self._marking)

    def step(self) -> None:
        self.done += 1
        if self.done == self.at:
            raise CutError

    async def _marking(self, producer: Any, begun: Any, *, commit: bool) -> None:
        """Between the request for the places and that for the end, too."""
        try:
            self.step()
        except CutError:
            transaction = producer._txn_manager
            await producer.begin_transaction()
            for place in begun:
                transaction.maybe_add_partition_to_txn(place)
            while transaction.partitions_to_add():  # noqa: ASYNC110 - aiokafka wakes nobody
                await asyncio.sleep(0.005)
            raise
        await self._mark(producer, begun, commit=commit)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Cut:
    return Cut(monkeypatch)


async def repair(world: World, cut: Cut, at: int) -> bool:
    """Whether it was cut off at this step."""
    cut.at, cut.done = at, 0
    async with a_producer(world) as producer:
        with suppress(CutError, OutcomeUnknownError):
            await past_of(world).settle(producer, provided=true())
    cut.at = 0
    return at <= cut.done


async def named(world: World) -> Counter[UUID]:
    """How often the relay's memory names each row."""
    memory = await world.read(topics.RELAY)
    return Counter(
        id_
        for record in memory
        if record.key == KEY
        for id_ in Manifest.model_validate_json(record.value or b"").ids
    )


async def hold(world: World, cut: Cut, cases: Iterable[Case], *, times: int = 1) -> None:
    """Cut each repair off at each of its steps, so many times one after another."""
    expected: list[bytes] = []
    remembered: list[Record] = []
    for outcome, forgotten in cases:
        for at in count(1):
            value = f"{len(expected)}"
            events = [an_event(key, value) for key in KEYS]
            only_named = a_record(topic=topics.RELAY)
            expected.append(value.encode())
            remembered.append(only_named)
            await world.write(*events, only_named)
            await say(world, [*events, only_named], forgotten, outcome)
            was_cut = [await repair(world, cut, at) for _ in range(times)]
            await settle(world)
            if not any(was_cut):
                break

    assert len(expected) > 1
    assert await seen(world) == {key.encode(): expected for key in KEYS}
    assert {(await named(world))[each.id] for each in remembered} == {1}


async def test_a_repair_of_one_partition_is_cut_off_at_each_step(world: World, cut: Cut) -> None:
    _, ana, _ = places(world)
    await hold(world, cut, [(FORGOTTEN_TO_DELETE, [ana])])


@pytest.mark.gate
async def test_a_repair_with_the_memory_is_cut_off_at_each_step(world: World, cut: Cut) -> None:
    memory, _, ben = places(world)
    await hold(world, cut, [(FORGOTTEN_TO_DELETE, [memory, ben])])


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("outcome", UNDELETED)
async def test_whatever_markers_are_missing_repairs_may_be_cut_off(
    world: World, cut: Cut, outcome: str, times: int
) -> None:
    await hold(world, cut, [(outcome, each) for each in subsets(places(world))], times=times)
