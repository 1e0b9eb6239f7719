"""A running process follows the table of keys, also when it cannot be read for a while."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus import LoggedIn
from authbus.signing import take_apart
from authbus_service.consumers.transient import is_transient
from authbus_service.core.security import following, repository
from authbus_service.core.security.following import KeyFollower, KeysBehindError
from authbus_service.core.security.keyring import USES, Key, KeyRing, new_key
from authbus_service.core.security.masters import Masters
from authbus_service.startup.keys import rotate
from tests.rig.accident import installed
from tests.rig.crowd import Crowd, until
from tests.rig.world import World

AT_ONCE, NEVER = timedelta(0), 30
HELD = text("SELECT FROM users FOR UPDATE")
WAITING = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
async def kept(world: World) -> World:
    """A world whose keys are in its database."""
    made = await installed(world)
    made.settings = {"keys_reload_seconds": NEVER}
    return made


def kid_of(session: LoggedIn) -> str:
    """The key that signed its access token."""
    return take_apart(session.access_token.get_secret_value()).header["kid"]


async def rotated(world: World) -> None:
    """New keys serve at once, which no process has heard of; the producer has."""
    changed = await rotate(world.database, world.masters, USES, AT_ONCE)
    ring = KeyRing(world.masters)
    ring.load(changed)
    new = {key.kid for key in changed if key.use == "enc" and key.retired_at is None}
    (jwk,) = [each.jwk for each in ring.public_records() if each.kid in new]
    world.web.seal_to(jwk)


async def test_a_command_sealed_to_a_key_that_is_newer_than_the_last_look_is_handled(
    kept: World,
) -> None:
    crowd = Crowd(kept)
    async with kept.consuming():
        await crowd.asked(crowd.registers(range(10)))
        await rotated(kept)

        answers = await crowd.asked(crowd.log_ins(range(10)))

    assert all(isinstance(each, LoggedIn) for each in answers)
    await crowd.checked()


async def test_what_was_sealed_before_a_rotation_is_handled_after_it(kept: World) -> None:
    crowd = Crowd(kept)
    drafts = crowd.registers(range(5))
    await crowd.send(drafts)
    await rotated(kept)

    async with kept.consuming():
        await crowd.answered(drafts)

    await crowd.checked()


class Fails:
    """The table cannot be read the first times."""

    def __init__(self, times: int) -> None:
        self.times, self.asked = times, 0
        self._keys = repository.keys

    async def __call__(self, db: AsyncConnection) -> list[Key]:
        self.asked += 1
        if self.asked <= self.times:
            raise ConnectionResetError
        await asyncio.sleep(0.05)
        return await self._keys(db)


def failing(monkeypatch: pytest.MonkeyPatch, times: int) -> Fails:
    fails = Fails(times)
    monkeypatch.setattr(following.repository, "keys", fails)
    return fails


async def test_new_keys_are_followed_after_failures_to_read_them(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rotated(kept)
    failing(monkeypatch, 3)
    follower = KeyFollower(kept.database, kept.keyring, 0.05)
    task = asyncio.create_task(follower.run())

    await until(lambda: len(kept.keyring.jwks()["keys"]) == 4)

    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_command_waits_while_new_keys_cannot_be_read(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(kept)
    async with kept.consuming():
        await rotated(kept)
        fails = failing(monkeypatch, 2)

        await crowd.asked(crowd.registers([0]))

    assert fails.asked >= 3
    await crowd.checked()


async def test_a_process_that_was_cut_off_for_long_looks_before_it_signs_again(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, later = Crowd(kept), monotonic() + 10 * NEVER
    async with kept.consuming():
        before = await crowd.with_sessions(1)
        sealing_to_the_old_key = crowd.log_ins([0])
        await rotated(kept)
        monkeypatch.setattr(following, "monotonic", lambda: later)
        (after,) = await crowd.asked(sealing_to_the_old_key)

    assert isinstance(after, LoggedIn)
    kids = [kid_of(each) for each in (*before, after)]
    (retired,) = await kept.rows(
        "SELECT kid FROM keys WHERE use = 'sig' AND retired_at IS NOT NULL"
    )
    assert kids[0] == retired["kid"] != kids[1]


async def test_a_process_that_is_cut_off_while_it_commits_looks_before_it_signs(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd, later = Crowd(kept), monotonic() + 10 * NEVER
    async with kept.consuming():
        (before,) = await crowd.with_sessions(1)
        drafts = crowd.log_ins([0])
        async with kept.database.transaction() as db:
            await db.execute(HELD)
            await crowd.send(drafts)
            await until_waited_for(kept)
            await rotated(kept)
            monkeypatch.setattr(following, "monotonic", lambda: later)
        (after,) = await crowd.answered(drafts)

    assert isinstance(after, LoggedIn)
    assert kid_of(before) != kid_of(after)
    await crowd.checked()


async def until_waited_for(world: World) -> None:
    """A command waits for a lock, in its transaction."""
    async with asyncio.timeout(10):
        while await world.rows(WAITING) == []:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


async def test_those_who_look_at_once_share_a_read_that_begins_after_they_asked(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = failing(monkeypatch, 0)
    follower = KeyFollower(kept.database, kept.keyring, NEVER)

    await asyncio.gather(*(follower.look() for _ in range(50)))

    assert reads.asked == 2


async def with_a_foreign_key(world: World) -> Key:
    """Somebody has made a key of a master that this process does not have."""
    foreign = new_key("enc", datetime.now(UTC), Masters([bytes(range(32))]))
    async with world.database.transaction() as db:
        await repository.add(db, [foreign])
    return foreign


async def test_keys_of_a_master_that_is_not_given_are_not_followed_and_the_old_ones_stay(
    kept: World,
) -> None:
    before = kept.keyring.jwks()
    foreign = await with_a_foreign_key(kept)

    with pytest.raises(KeysBehindError, match=foreign.master) as behind:
        await KeyFollower(kept.database, kept.keyring, NEVER).look()

    assert is_transient(behind.value)
    assert kept.keyring.jwks() == before


async def test_without_the_master_of_a_new_key_nothing_is_handled_after_two_missed_looks(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0]
    monkeypatch.setattr(following, "monotonic", lambda: passed[0])
    follower = KeyFollower(kept.database, kept.keyring, NEVER)
    foreign = await with_a_foreign_key(kept)

    for _ in range(2):
        passed[0] += NEVER
        with pytest.raises(KeysBehindError):
            await follower.look()
        await follower.keep_fresh()
    passed[0] += 1
    with pytest.raises(KeysBehindError, match=foreign.master):
        await follower.keep_fresh()


async def test_a_table_without_keys_takes_none_away(world: World) -> None:
    before: Any = world.keyring.jwks()

    await KeyFollower(world.database, world.keyring, NEVER).look()

    assert world.keyring.jwks() == before


async def test_a_key_that_was_destroyed_is_forgotten(kept: World) -> None:
    await rotated(kept)
    follower = KeyFollower(kept.database, kept.keyring, NEVER)
    await follower.look()
    async with kept.database.transaction() as db:
        gone = [key.kid for key in await repository.keys(db) if key.retired_at is not None]
        await repository.remove(db, gone)

    await follower.look()

    assert not {key["kid"] for key in kept.keyring.jwks()["keys"]} & set(gone)
    assert [kid for kid in gone if kept.keyring.sealing(kid)] == []
