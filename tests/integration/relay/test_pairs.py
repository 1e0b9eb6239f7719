"""An event and its state are said in one Kafka transaction, wherever a batch is cut."""

from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from authbus import topics
from authbus.state import DeadLetter
from authbus.topics import EVENTS, SESSIONS_ENDED, USERS_STATE, Topic
from authbus_service.outbox.repository import Record
from authbus_service.relay import loop
from authbus_service.relay.manifest import KEY, Manifest
from tests.integration.relay.world import World, running


def a_pair(
    name: str, cause: UUID, state: Topic = USERS_STATE, value: bytes | None = b"{}"
) -> list[Record]:
    """A state and its event, as one command says them."""
    headers = [("ce_causationid", str(cause).encode())]
    return [
        Record(uuid4(), topic, name, "authbus.Any.v1", payload, headers)
        for topic, payload in ((state, value), (EVENTS, name.encode()))
    ]


async def transactions(world: World) -> Mapping[UUID, int]:
    """In which transaction each row was said."""
    return {
        said: number
        for number, memory in enumerate(await world.read(topics.RELAY))
        if memory.key == KEY
        for said in Manifest.model_validate_json(memory.value or b"").ids
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7])
async def test_the_pairs_of_many_commands_are_whole(
    world: World, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_ROWS", limit)
    pairs = [a_pair(f"user{number}", uuid4()) for number in range(20)]
    pairs += [a_pair(f"gone{number}", uuid4(), value=None) for number in range(5)]
    cause = uuid4()
    pairs += [a_pair(f"session{number}", cause, SESSIONS_ENDED) for number in range(10)]
    await world.write(*(record for pair in pairs for record in pair))

    async with running(world.relay()):
        await world.until_said()

    said = await transactions(world)
    assert {said[state.id] - said[event.id] for state, event in pairs} == {0}
    assert len(set(said.values())) >= 2 * len(pairs) // max(limit, 2)
    assert len(await world.read()) == len(pairs)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_rows_of_others_may_lie_between(
    world: World, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_ROWS", limit)
    ana, bob, cyd = (a_pair(name, uuid4()) for name in ("ana", "bob", "cyd"))
    await world.write(ana[0], bob[0], cyd[0], ana[1], cyd[1], bob[1])

    async with running(world.relay()):
        await world.until_said()

    said = await transactions(world)
    assert [said[state.id] - said[event.id] for state, event in (ana, bob, cyd)] == [0] * 3


async def test_a_state_that_never_fits_leaves_its_event_whole(world: World) -> None:
    before, after = a_pair("ana", uuid4()), a_pair("cyd", uuid4())
    giant = a_pair("bob", uuid4(), value=bytes(1_100_000))
    await world.write(*before, *giant, *after)

    async with running(world.relay()):
        await world.until_said()

    said = await transactions(world)
    (letter,) = await world.read(topics.DEAD_LETTERS)
    assert DeadLetter.model_validate_json(letter.value or b"").size == 1_100_000
    assert said[giant[0].id] == said[giant[1].id]
    assert sorted(record.value or b"" for record in await world.read()) == [b"ana", b"bob", b"cyd"]
    assert sorted(record.key or b"" for record in await world.read(USERS_STATE)) == [b"ana", b"cyd"]


async def test_a_state_whose_event_is_nowhere_is_said_alone(world: World) -> None:
    state, _ = a_pair("ana", uuid4())
    await world.write(state)

    async with running(world.relay()):
        await world.until_said()

    assert [record.key for record in await world.read(USERS_STATE)] == [b"ana"]
