"""Keys are replaced and destroyed in one transaction each, which also says so."""

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from authbus.public_keys import PublicKeys
from authbus.topics import COMMANDS_KEPT, KEYS_STATE
from authbus.trust import Trust
from authbus_service.cluster.installation import settle
from authbus_service.core.database import Database
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import USES, Key
from authbus_service.core.security.masters import MasterKeyError, Masters
from authbus_service.core.security.rotation import RotationError
from authbus_service.inbox import writing
from authbus_service.inbox.writing import RecoveryRunsError
from authbus_service.outbox.repository import Waiting, oldest
from authbus_service.startup.keys import destroy, open_keyring, rotate
from authbus_service.startup.replacing import Replacement
from tests.rig.wrapping import with_factors
from tests.unit.authbus.records import a_record

LEAD = timedelta(seconds=60)
MASTER = secrets.token_bytes(32)
OURS = Masters([MASTER])


@pytest.fixture
async def installed(database: Database) -> Database:
    """A database with its first keys."""
    await settle(database, namespace="auth", cluster_id="here")
    await open_keyring(database, OURS)
    return database


async def waiting(database: Database) -> list[Waiting]:
    """What is to be said of keys since the first ones."""
    async with database.reading() as db:
        return (await oldest(db, 100))[2:]


async def keys(database: Database) -> dict[str, Key]:
    async with database.reading() as db:
        return {key.kid: key for key in await repository.keys(db)}


async def retired(database: Database, ago: timedelta) -> dict[str, Key]:
    """Both first keys, as if they had been replaced so long ago."""
    at = datetime.now(UTC) - ago
    found = [replace(key, retired_at=at) for key in (await keys(database)).values()]
    async with database.transaction() as db:
        await repository.set_retired(db, found)
    return {key.use: key for key in found}


async def test_a_rotation_says_all_that_changed_and_the_new_key_before_the_old_one(
    installed: Database,
) -> None:
    before = await keys(installed)

    changed = await rotate(installed, OURS, USES, LEAD)

    after, said = await keys(installed), await waiting(installed)
    assert len(after) == 4
    assert after == before | {key.kid: key for key in changed}
    assert [row.key for row in said] == [key.kid for key in changed]
    assert [row.key in before for row in said] == [False, False, True, True]
    assert {row.topic for row in said} == {KEYS_STATE.suffix}
    begins = {key.not_before for key in changed if key.kid not in before}
    assert begins == {key.retired_at for key in changed if key.kid in before}


async def test_clients_follow_what_is_said_to_the_new_key_at_its_time(installed: Database) -> None:
    (old,) = [key for key in (await keys(installed)).values() if key.use == "enc"]
    await rotate(installed, OURS, USES, LEAD)
    begins = max(key.not_before for key in (await keys(installed)).values())
    await open_keyring(installed, OURS)
    followed = PublicKeys(Trust(OURS.root_thumbprint()))

    async with installed.reading() as db:
        for row in await oldest(db, 100):
            followed.read(a_record(row.payload, key=row.key.encode()))

    newest = [followed.newest_sealing(at) for at in (begins - LEAD / 2, begins)]
    assert [key and key["kid"] == old.kid for key in newest] == [True, False]


async def test_of_rotations_side_by_side_one_is_made(installed: Database) -> None:
    results = await asyncio.gather(
        *(rotate(installed, OURS, USES, LEAD) for _ in range(4)), return_exceptions=True
    )

    assert sum(isinstance(each, list) for each in results) == 1
    assert sum(isinstance(each, RotationError) for each in results) == 3
    assert len(await keys(installed)) == 4


async def test_nothing_changes_while_a_recovery_runs_or_is_not_finished(
    installed: Database,
) -> None:
    before = await retired(installed, COMMANDS_KEPT + LEAD)
    async with writing.alone(installed):
        with pytest.raises(RecoveryRunsError):
            await rotate(installed, OURS, USES, LEAD)
        with pytest.raises(RecoveryRunsError):
            await destroy(installed, before["enc"].kid)
    async with installed.transaction() as db:
        await db.execute(text("UPDATE installation SET recovering = true"))

    with pytest.raises(RotationError, match="authbus recover"):
        await rotate(installed, OURS, USES, LEAD)
    with pytest.raises(RotationError, match="authbus recover"):
        await destroy(installed, before["enc"].kid)

    assert set(await keys(installed)) == {key.kid for key in before.values()}
    assert await waiting(installed) == []


async def test_without_the_master_of_the_old_keys_nothing_changes(installed: Database) -> None:
    before = await keys(installed)

    with pytest.raises(MasterKeyError, match="not in the list"):
        await rotate(installed, Masters([secrets.token_bytes(32)]), USES, LEAD)

    assert (await keys(installed), await waiting(installed)) == (before, [])


async def test_a_new_master_makes_keys_once_it_is_trusted_and_the_old_ones_stay_signed_by_theirs(
    installed: Database,
) -> None:
    both = Masters([secrets.token_bytes(32), MASTER])
    root = both.root_thumbprint()

    with pytest.raises(RotationError, match=f"--trusted {root}"):
        await rotate(installed, both, USES, LEAD)
    changed = await rotate(installed, both, USES, LEAD, root)

    assert [key.master for key in changed] == [both.current] * 2 + [OURS.current] * 2
    ring = await open_keyring(installed, both)
    new, old = Trust(ring.masters.root_thumbprint()), Trust(OURS.root_thumbprint())
    trusted = {each.kid: (new.accept(each), old.accept(each)) for each in ring.public_records()}
    is_new = {key.kid: key.retired_at is None for key in changed}
    assert trusted == {kid: (new, not new) for kid, new in is_new.items()}


@pytest.mark.parametrize("lead", [timedelta(0), LEAD], ids=["serving", "ahead"])
async def test_a_master_that_was_replaced_is_not_put_back_by_a_list_that_still_begins_with_it(
    installed: Database, lead: timedelta
) -> None:
    new = secrets.token_bytes(32)
    done, still = (
        Replacement(installed, Masters(each), lambda _step, _done, _total: None)
        for each in ([new, MASTER], [MASTER, new])
    )
    await with_factors(installed, OURS, 1)
    await done.run(lead, done.trust)
    before = await done.look()

    with pytest.raises(RotationError):
        await rotate(installed, still.masters, USES, LEAD)
    with pytest.raises(RotationError, match=f"--trusted {still.trust}"):
        await still.run(LEAD, None)

    assert await done.look() == before


async def test_a_key_is_destroyed_with_a_tombstone_when_nothing_can_need_it(
    installed: Database,
) -> None:
    gone = await retired(installed, COMMANDS_KEPT + timedelta(seconds=1))

    assert await destroy(installed, gone["enc"].kid) == gone["enc"]

    (row,) = await waiting(installed)
    assert (row.topic, row.key, row.payload) == (KEYS_STATE.suffix, gone["enc"].kid, None)
    assert set(await keys(installed)) == {gone["sig"].kid}


async def test_a_key_that_is_needed_or_unknown_is_not_destroyed(installed: Database) -> None:
    before = await retired(installed, timedelta(minutes=10))

    for key in before.values():
        with pytest.raises(RotationError, match="It can go from 20"):
            await destroy(installed, key.kid)
    with pytest.raises(RotationError, match="no key nobody"):
        await destroy(installed, "nobody")

    assert len(await keys(installed)) == 2
    assert await waiting(installed) == []
