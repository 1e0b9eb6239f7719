"""What the state topic says of a user, that nothing else says it, and when it is said."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from pydantic import SecretStr

from authbus import (
    DeactivateUser,
    EndAllSessions,
    EraseUser,
    GrantRole,
    LoggedIn,
    LogIn,
    Registered,
    RegisterUser,
    UpdateProfile,
    UserErased,
    UserState,
)
from authbus.kafka.following import Record
from authbus.topics import EVENTS, RELAY, SESSIONS_ENDED, USERS_STATE, Topic
from authbus_service.relay import loop
from authbus_service.relay.loop import Relay
from authbus_service.relay.manifest import KEY, Manifest
from tests.integration.relay.world import running, until
from tests.rig.operators import by_operator
from tests.rig.topics import places
from tests.rig.world import World

EMAIL, PASSWORD = "ana.of-the-canary@example.com", SecretStr("correct horse battery")
PROFILE: dict[str, Any] = {
    "display_name": "Ana of the Canary",
    "locale": "gsw-CH",
    "time_zone": "Pacific/Kiritimati",
    "picture_url": "https://example.com/canary.png",
    "attributes": {"shoe": "canary yellow"},
}
WORDS = (b"canary", b"gsw-ch", b"kiritimati")


async def said(world: World, topic: Topic) -> list[Record]:
    """All of a topic up to its end."""
    async with AIOKafkaConsumer(
        bootstrap_servers=world.servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    ) as consumer:
        of_topic = await places(world.servers, topic, world.namespace)
        consumer.assign(of_topic)
        found: list[Record] = []
        for place, end in (await consumer.end_offsets(of_topic)).items():
            while await consumer.position(place) < end:
                found += (await consumer.getmany(place, timeout_ms=50)).get(place, [])
        return found


async def a_life(world: World) -> UUID:
    """Events that change the public user, events that do not, a refusal, and an end of sessions."""
    web = world.web
    user = await web.ask(web.draft(RegisterUser(email=EMAIL, password=PASSWORD)))
    assert isinstance(user, Registered)
    await web.ask(web.draft(RegisterUser(email=EMAIL, password=PASSWORD)))
    log_ins = [web.draft(LogIn(email=EMAIL, password=PASSWORD)) for _ in range(3)]
    *_, session = [await web.ask(draft) for draft in log_ins]
    assert isinstance(session, LoggedIn)
    token = session.access_token
    await web.ask(web.draft(UpdateProfile(access_token=token, profile_version=0, **PROFILE)))
    await web.ask(
        by_operator(
            world, lambda proof: GrantRole(access_token=proof, user_id=user.user_id, role="admin")
        )
    )
    await web.ask(web.draft(EndAllSessions(access_token=token)))
    await web.ask(
        by_operator(world, lambda proof: DeactivateUser(access_token=proof, user_id=user.user_id))
    )
    return user.user_id


async def relayed(world: World) -> None:
    """Say all that waits."""
    relay = Relay(
        world.database,
        bootstrap_servers=world.servers,
        namespace=world.namespace,
        epoch=uuid4(),
        holder=uuid4(),
    )

    async def is_said() -> bool:
        return not await world.rows("SELECT 1 FROM outbox")

    async with running(relay):
        await until(is_said)


async def test_each_change_of_a_user_is_on_the_state_topic_with_its_sequence(world: World) -> None:
    async with world.consuming():
        user_id = await a_life(world)
    await relayed(world)

    records = await said(world, USERS_STATE)

    told = [UserState.model_validate_json(each.value or b"") for each in records]
    assert {each.key for each in records} == {str(user_id).encode()}
    assert [(each.sequence, each.status, each.roles) for each in told] == [
        (1, "active", ()),
        (5, "active", ()),
        (6, "active", ("admin",)),
        (9, "deactivated", ("admin",)),
    ]
    assert told[0].profile.display_name is None
    assert told[-1].profile.model_dump(exclude={"version"}) == PROFILE
    assert told[-1].email == EMAIL


async def test_an_events_state_is_in_its_own_kafka_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_ROWS", 1)
    async with world.consuming():
        user_id = await a_life(world)
        erase = by_operator(world, lambda proof: EraseUser(access_token=proof, user_id=user_id))
        await world.web.ask(erase)
    rows = await world.rows("SELECT id, aggregatetype, type FROM outbox ORDER BY position")

    await relayed(world)

    number = {
        id_: place
        for place, each in enumerate(await said(world, RELAY))
        if each.key == KEY
        for id_ in Manifest.model_validate_json(each.value or b"").ids
    }
    states = {USERS_STATE.suffix, SESSIONS_ENDED.suffix}
    places = [place for place, row in enumerate(rows) if row["aggregatetype"] in states]
    pairs = [(rows[place], rows[place + 1]) for place in places]
    assert [state["aggregatetype"] for state, _ in pairs] == [
        *[USERS_STATE.suffix] * 3,
        *[SESSIONS_ENDED.suffix] * 2,
        USERS_STATE.suffix,
        SESSIONS_ENDED.suffix,
        USERS_STATE.suffix,
    ]
    assert {event["aggregatetype"] for _, event in pairs} == {EVENTS.suffix}
    assert [number[state["id"]] - number[event["id"]] for state, event in pairs] == [0] * 8
    assert len(set(number.values())) > len(pairs)
    assert pairs[-1][1]["type"] == UserErased.wire_type()
    assert (await said(world, USERS_STATE))[-1].value is None


async def test_what_a_user_says_of_themselves_is_on_the_state_topic_alone(world: World) -> None:
    async with world.consuming():
        await a_life(world)
    rows = await world.rows("SELECT aggregatetype, payload, headers::text FROM outbox")

    found = {
        (word, row["aggregatetype"])
        for row in rows
        for word in WORDS
        if word in (row["payload"] + row["headers"].encode()).lower()
    }

    assert found == {(word, USERS_STATE.suffix) for word in WORDS}
