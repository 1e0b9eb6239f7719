"""The compacted topics are written anew while the service runs."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import event, text
from sqlalchemy.util import await_only

from authbus import LoggedIn, ProfileSaved, UpdateProfile
from authbus.state import UserState
from authbus.topics import KEYS_STATE, USERS_STATE
from authbus_service.auth.users import repository as users
from authbus_service.auth.users.service import state
from authbus_service.cluster import Admin
from authbus_service.core.database import Database, connect
from authbus_service.core.ids import new_id
from authbus_service.core.security import repository
from authbus_service.core.security.rotation import RotationError
from authbus_service.replay.key_topic import KeyTopic
from authbus_service.replay.states import UserStates
from authbus_service.startup.keys import retell
from tests.rig.accident import serving
from tests.rig.crowd import Crowd
from tests.rig.dumps import ends_of
from tests.rig.producing import Draft
from tests.rig.replaying import rebuilt
from tests.rig.topics import records
from tests.rig.world import World
from tests.rig.wrapping import with_factors

USERS = 4
# So that they are locked in two parts.
MANY = 150


async def strangers(world: World, topic: Any, *keys: str) -> None:
    """Somebody who may write to a topic does."""
    async with AIOKafkaProducer(bootstrap_servers=world.servers) as producer:
        for key in keys:
            await producer.send_and_wait(topic.name(world.namespace), b"{}", key=key.encode())


async def told(world: World) -> dict[str, list[UserState | None]]:
    """What was said of each key of the state topic, in order."""
    found = defaultdict[str, list[UserState | None]](list)
    async for each in records(world.servers, USERS_STATE, world.namespace):
        value = each.value and each.value != b"{}" and UserState.model_validate_json(each.value)
        found[(each.key or b"").decode()].append(value or None)
    return dict(found)


@pytest.mark.parametrize("analyzed", [True, False])
async def test_how_far_a_rebuild_is_is_told_without_counting_all_users(
    world: World, admin: Admin, *, analyzed: bool
) -> None:
    await with_factors(world.database, world.masters, MANY)
    if analyzed:
        async with world.database.transaction() as db:
            await db.execute(text("ANALYZE users"))
    told: list[tuple[str, int, int | None]] = []

    def tell(step: str, done: int, total: int | None) -> None:
        told.append((step, done, total))

    await UserStates(world.database, admin, world.namespace, tell).rebuild(dry_run=True)

    about = MANY if analyzed else None
    assert told == [("users", 100, about), ("users", MANY, about), ("users", MANY, MANY)]


async def test_each_users_state_is_told_again_and_what_nobody_knows_gets_a_tombstone(
    world: World,
) -> None:
    ghosts = (str(new_id()), "no id at all")
    async with serving(world):
        sessions = await Crowd(world).with_sessions(USERS)
        await strangers(world, USERS_STATE, *ghosts)
        foretold = await rebuilt(world, dry_run=True)
        before = await ends_of(world.servers, USERS_STATE, world.namespace)
        done, log_outs = await asyncio.gather(
            rebuilt(world), Crowd(world).asked(Crowd(world).log_outs(sessions))
        )

    assert foretold == done | {"dry_run": True}
    assert done == {"dry_run": False, "users": USERS, "tombstones": len(ghosts)}
    assert len(log_outs) == USERS
    after = await ends_of(world.servers, USERS_STATE, world.namespace)
    assert sum(after.values()) - sum(before.values()) >= USERS + len(ghosts)
    said = await told(world)
    for each in sessions:
        first, again = said[str(each.user_id)]
        assert first is not None
        assert again is not None
        assert again.sequence >= first.sequence
        assert again.model_copy(update={"sequence": first.sequence}) == first
    assert [said[each][-1] for each in ghosts] == [None, None]
    assert await rebuilt(world, dry_run=True) == foretold | {"tombstones": 0}


@pytest.mark.slow
async def test_profiles_that_change_meanwhile_are_told_in_order_and_last_as_they_are(
    world: World,
) -> None:
    crowd, version = Crowd(world), 0
    async with serving(world), slow(world.database) as far:
        sessions = await crowd.with_sessions(MANY)
        rebuilding = asyncio.create_task(rebuilt(replace(world, database=far)))
        while not rebuilding.done() or not version:
            changes = [_a_change(world, each, version) for each in sessions]
            assert {type(each) for each in await crowd.asked(changes)} == {ProfileSaved}
            version += 1
        done = await rebuilding

    said = {key: [each for each in of if each] for key, of in (await told(world)).items()}
    sequences = {key: [each.sequence for each in of] for key, of in said.items()}
    async with world.database.reading() as db:
        now = await users.read(db, [each.user_id for each in sessions])
    assert (done["users"], len(now)) == (MANY, MANY)
    assert sequences == {key: sorted(of) for key, of in sequences.items()}
    assert {key: of[-1] for key, of in said.items()} == {str(each.id): state(each) for each in now}
    assert {each.profile.display_name for each in now} == {f"Name {version - 1}"}


def _a_change(world: World, of: LoggedIn, version: int) -> Draft:
    change = UpdateProfile(
        access_token=of.access_token, profile_version=version, display_name=f"Name {version}"
    )
    return world.web.draft(change, key=of.user_id.bytes)


@asynccontextmanager
async def slow(database: Database) -> AsyncGenerator[Database]:
    """The same, but each answer comes a tenth of a second later."""

    def later(*_: object) -> None:
        await_only(asyncio.sleep(0.1))

    far = connect(database.engine.url.render_as_string(hide_password=False))
    event.listen(far.engine.sync_engine, "after_cursor_execute", later)
    yield far
    await far.close()


async def test_keys_are_told_again_a_strangers_ends_and_one_of_ours_that_is_lost_is_not_given_up(
    world: World,
) -> None:
    async with serving(world):
        pass
    await strangers(world, KEYS_STATE, "stranger")

    async def again(*, dry_run: bool = False) -> tuple[int, int]:
        async with Admin.connect(world.servers, {}) as admin:
            topic = await KeyTopic.read(admin, world.namespace, world.masters)
        return await retell(world.database, world.masters, topic, dry_run=dry_run)

    foretold, done = await again(dry_run=True), await again()
    async with serving(world):
        pass
    values: dict[str, bytes | None] = {}
    async for each in records(world.servers, KEYS_STATE, world.namespace):
        values[(each.key or b"").decode()] = each.value
    async with world.database.transaction() as db:
        kids = [key.kid for key in await repository.keys(db)]
        await repository.remove(db, kids[:1])

    assert foretold == done == (2, 1)
    assert values.pop("stranger") is None
    assert {json.loads(value or b"{}")["kid"] for value in values.values()} == set(kids)
    with pytest.raises(RotationError, match="gone back in time"):
        await again()
