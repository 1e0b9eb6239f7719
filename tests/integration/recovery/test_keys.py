"""A backup from before a rotation: the keys are again as clients know them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authbus import LoggedIn
from authbus.state import PublicKey
from authbus.topics import COMMANDS_KEPT, KEYS_STATE
from authbus_service.core.ids import new_id
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import USES, Key, KeyRing, new_key
from authbus_service.outbox.repository import Record, append
from authbus_service.startup.keys import destroy, rotate
from tests.rig.accident import backup, last_words, recovered, serving, tables
from tests.rig.crowd import Crowd
from tests.rig.world import World

pytestmark = pytest.mark.gate

AT_ONCE = timedelta(0)


async def keys(world: World) -> dict[str, Key]:
    async with world.database.reading() as db:
        return {key.kid: key for key in await repository.keys(db)}


async def rotated(world: World) -> list[Key]:
    """New keys serve from now on; the producer seals to them."""
    changed = await rotate(world.database, world.masters, USES, AT_ONCE)
    world.keyring.load((await keys(world)).values())
    new = {key.kid for key in changed if key.retired_at is None}
    public = [each for each in world.keyring.public_records() if each.kid in new]
    world.web.seal_to(next(each.jwk for each in public if each.use == "enc"))
    return changed


async def a_needless_key(world: World) -> Key:
    """A key that has retired so long ago that nothing needs it."""
    at = datetime.now(UTC) - COMMANDS_KEPT - timedelta(hours=1)
    key = replace(new_key("enc", at - timedelta(days=9), world.masters), retired_at=at)
    ring = KeyRing(world.masters)
    ring.load([key])
    (public,) = ring.public_records()
    async with world.database.transaction() as db:
        await repository.add(db, [key])
        payload = public.to_bytes()
        record = Record(new_id(), KEYS_STATE, key.kid, PublicKey.wire_type(), payload, [])
        await append(db, [record])
    return key


async def test_keys_made_retired_and_destroyed_since_the_backup_are_so_again(world: World) -> None:
    crowd = Crowd(world)
    old = await a_needless_key(world)
    async with serving(world):
        await crowd.asked(crowd.registers(range(4)))
    first = await keys(world)
    copy = await backup(world.database)
    await rotated(world)
    await destroy(world.database, old.kid)
    async with serving(world):
        sessions = await crowd.asked(crowd.log_ins(range(4)))
    said, lost = await last_words(world, KEYS_STATE), await tables(world.database, [])
    back = replace(world, database=copy)

    foretold = await recovered(back, dry_run=True)
    untouched = await keys(back)
    report = await recovered(back)
    again = await recovered(back)

    assert untouched == first
    assert await tables(copy, []) == lost
    assert [
        (each.keys_found, each.keys_retired, each.keys_destroyed)
        for each in (foretold, report, again)
    ] == [(2, 2, 1), (2, 2, 1), (0, 0, 0)]
    assert old.kid not in await keys(back)
    async with serving(back):
        more = await crowd.asked([*crowd.log_outs(_logged_in(sessions)), *crowd.log_ins(range(4))])
    assert len(_logged_in(more)) == 4
    assert await last_words(back, KEYS_STATE) == said
    await copy.close()


def _logged_in(replies: list[Any]) -> list[LoggedIn]:
    return [each for each in replies if isinstance(each, LoggedIn)]


@pytest.mark.parametrize("empty", [False, True], ids=["backup", "no backup"])
async def test_only_the_newest_keys_serve_after_two_rotations_that_the_backup_lacks(
    world: World, empty: bool
) -> None:
    crowd = Crowd(world)
    async with serving(world):
        await crowd.asked(crowd.registers([0]))
    copy = await backup(world.database)
    await rotated(world)
    newest = {key.kid for key in await rotated(world) if key.retired_at is None}
    async with serving(world):
        await crowd.asked(crowd.log_ins([0]))
    back = replace(world, database=copy)
    if empty:
        async with copy.transaction() as db:
            await repository.remove(db, (await keys(back)).keys())

    report = await recovered(back)

    now = datetime.now(UTC)
    found = await keys(back)
    assert found == await keys(world)
    assert {key.kid for key in found.values() if key.state(now) == "serves"} == newest
    assert report.keys_found == (6 if empty else 4)
    await copy.close()


async def test_what_a_backup_still_had_to_say_of_keys_does_not_undo_what_was_said_since(
    world: World,
) -> None:
    crowd = Crowd(world)
    async with serving(world):
        await crowd.asked(crowd.registers([0]))
    await rotated(world)
    copy = await backup(world.database)
    await rotated(world)
    async with serving(world):
        await crowd.asked(crowd.log_ins([0]))
    said = await last_words(world, KEYS_STATE)
    back = replace(world, database=copy)

    await recovered(back)
    async with serving(back):
        await crowd.asked(crowd.log_ins([0]))

    assert len(said) == 6
    assert await last_words(back, KEYS_STATE) == said
    assert await keys(back) == await keys(world)
    await copy.close()
