"""A master key is replaced: what lies under it is told, moved, and told again."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from authbus.topics import COMMANDS_KEPT
from authbus_service.auth.factors import repository as factors
from authbus_service.auth.factors.service import opened
from authbus_service.auth.rewrapping import AT_ONCE, rewrap
from authbus_service.cluster.installation import settle
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.security import repository
from authbus_service.core.security.masters import MasterKeyError, Masters
from authbus_service.core.security.rotation import RotationError
from authbus_service.core.sets import Writes
from authbus_service.inbox import partitions, writing
from authbus_service.inbox.repository import Handled, put
from authbus_service.inbox.writing import RecoveryRunsError
from authbus_service.outbox import mails
from authbus_service.outbox.mails import QueuedMail
from authbus_service.startup.keys import open_keyring
from authbus_service.startup.replacing import Replacement
from authbus_service.startup.under_masters import require_masters
from tests.rig.wrapping import with_factors

ONE, TWO = secrets.token_bytes(32), secrets.token_bytes(32)
OLD, BOTH, NEW = Masters([ONE]), Masters([TWO, ONE]), Masters([TWO])
LEAD, SOON = timedelta(seconds=60), timedelta(minutes=5)


@pytest.fixture
async def installed(database: Database) -> Database:
    """A database with the first keys of the old master."""
    await settle(database, namespace="auth", cluster_id="here")
    await open_keyring(database, OLD)
    return database


def replacement(database: Database, masters: Masters = BOTH) -> Replacement:
    return Replacement(database, masters, lambda _step, _done, _total: None)


async def replaced(database: Database) -> dict[tuple[str, str], int]:
    work = replacement(database)
    return {(each.master, each.what): each.count for each in await work.run(LEAD, work.trust)}


async def under(database: Database) -> dict[tuple[str, str], int]:
    found = await replacement(database).look()
    return {(each.master, each.what): each.count for each in found}


async def waiting(database: Database, user_id: UUID, *, lives: timedelta) -> None:
    """A mail that is to be sent, and an answer that may be asked for again."""
    at = datetime.now(UTC)
    mail = QueuedMail(
        id=new_id(),
        template="verify_email",
        user_id=user_id,
        address="ana@example.com",
        command_id=new_id(),
        content=b"",
        master=OLD.current,
        made_at=at,
        expires_at=at + lives,
        due_at=at,
    )
    handled = Handled(at, new_id(), b"", b"", OLD.current, at + lives, at, {})
    async with database.transaction() as db:
        await partitions.keep(db)
        async with Writes.to(db) as writes:
            mails.add(writes, [mail])
        await put(db, [handled])


async def long_ago(database: Database) -> None:
    """As if the keys that have retired had done so when the oldest command was not sent yet."""
    at = datetime.now(UTC) - COMMANDS_KEPT - SOON
    async with database.transaction() as db:
        found = [key for key in await repository.keys(db) if key.retired_at is not None]
        await repository.set_retired(db, [replace(key, retired_at=at) for key in found])


async def secrets_of(database: Database, masters: Masters, ids: Sequence[UUID]) -> list[bytes]:
    async with database.reading() as db:
        return sorted(opened(each, masters) for each in await factors.of(db, ids))


async def test_a_look_tells_all_that_lies_under_a_master_and_nothing_that_has_run_out(
    installed: Database,
) -> None:
    ids = await with_factors(installed, OLD, 3)
    await waiting(installed, ids[0], lives=SOON)
    await waiting(installed, ids[0], lives=-SOON)

    found = await replacement(installed).look()

    assert [(each.what, each.count, each.until is None) for each in found] == [
        ("answers", 1, False),
        ("mails", 1, False),
        ("sealing keys", 1, True),
        ("second factors", 3, True),
        ("signing keys", 1, True),
    ]
    assert {each.master for each in found} == {OLD.current}


async def test_new_keys_are_announced_only_when_clients_are_said_to_trust_the_new_root(
    installed: Database,
) -> None:
    await with_factors(installed, OLD, 1)
    before, work = await under(installed), replacement(installed)

    for trusted in (None, "another"):
        with pytest.raises(RotationError, match=f"--trusted {work.trust}"):
            await work.run(LEAD, trusted)

    assert await under(installed) == before


async def test_all_is_moved_and_the_old_master_may_go_once_nothing_needs_its_keys(
    installed: Database,
) -> None:
    ids = await with_factors(installed, OLD, AT_ONCE + 1)
    said: list[tuple[str, int, int | None]] = []

    def tell(step: str, done: int, total: int | None) -> None:
        said.append((step, done, total))

    work = Replacement(installed, BOTH, tell)

    first = await work.run(LEAD, work.trust)
    await long_ago(installed)
    last = await work.run(LEAD, None)
    again = await work.run(LEAD, None)

    left = [(each.what, each.until is None) for each in first if each.master == OLD.current]
    assert left == [("sealing keys", False), ("signing keys", False)]
    assert said[:2] == [("second factors", AT_ONCE, AT_ONCE + 1), ("second factors", 501, 501)]
    assert {each.master for each in last} == {NEW.current}
    assert again == last
    assert await secrets_of(installed, NEW, ids) == [each.bytes for each in ids]
    await require_masters(installed, NEW)


async def test_a_batch_takes_no_more_than_it_may_and_the_next_one_goes_on_behind_it(
    installed: Database,
) -> None:
    ids = await with_factors(installed, OLD, 5)

    async with installed.transaction() as db:
        first = await rewrap(db, BOTH, limit=3)
    async with installed.transaction() as db:
        second = await rewrap(db, BOTH, first.last or ids[4], limit=3)

    assert (first.done, first.last, second.done, second.last) == (3, ids[2], 2, None)


async def test_a_secret_that_was_altered_stays_is_named_and_holds_up_no_other(
    installed: Database,
) -> None:
    ids = await with_factors(installed, OLD, 3)
    async with installed.transaction() as db:
        await db.execute(
            text("UPDATE factors SET secret = secret || '\\x00' WHERE user_id = :id"),
            {"id": ids[1]},
        )
    work = replacement(installed)

    found = await work.run(LEAD, work.trust)

    lying = {(each.master, each.what): each.count for each in found}
    assert work.unreadable == {ids[1]}
    assert (lying[OLD.current, "second factors"], lying[BOTH.current, "second factors"]) == (1, 2)


async def test_a_user_who_is_busy_is_passed_over_and_moved_by_the_next_run(
    installed: Database,
) -> None:
    ids = await with_factors(installed, OLD, 3)

    async with installed.transaction() as db:
        await db.execute(text("SELECT 1 FROM users WHERE id = :id FOR UPDATE"), {"id": ids[1]})
        during = await replaced(installed)
    after = await replaced(installed)

    assert during[OLD.current, "second factors"] == 1
    assert (OLD.current, "second factors") not in after
    assert await secrets_of(installed, NEW, ids) == [each.bytes for each in ids]


async def test_nothing_is_moved_while_a_recovery_runs_or_a_master_is_missing(
    installed: Database,
) -> None:
    await with_factors(installed, OLD, 1)
    before = await under(installed)
    work = replacement(installed)

    async with writing.alone(installed):
        with pytest.raises(RecoveryRunsError):
            await work.run(LEAD, work.trust)
    with pytest.raises(MasterKeyError, match=f"1 second factors under {OLD.current}"):
        await replacement(installed, NEW).run(LEAD, work.trust)

    assert await under(installed) == before


async def test_a_new_key_of_the_old_master_that_is_still_ahead_is_replaced_by_a_later_run(
    installed: Database,
) -> None:
    ahead = datetime.now(UTC) + LEAD
    async with installed.transaction() as db:
        (sealing,) = [key for key in await repository.keys(db) if key.use == "enc"]
        await repository.add(db, [replace(sealing, kid="ahead", not_before=ahead)])

    found = await replaced(installed)

    assert found[NEW.current, "signing keys"] == 1
    assert (NEW.current, "sealing keys") not in found


async def test_a_start_is_refused_while_something_lies_under_a_master_that_is_not_given(
    installed: Database,
) -> None:
    (user_id,) = await with_factors(installed, NEW, 1)
    with pytest.raises(MasterKeyError, match=f"1 second factors under {NEW.current}"):
        await require_masters(installed, OLD)
    await require_masters(installed, BOTH)

    await waiting(installed, user_id, lives=SOON)
    with pytest.raises(MasterKeyError, match=f"1 answers under {OLD.current}, 1 mails"):
        await require_masters(installed, NEW)
