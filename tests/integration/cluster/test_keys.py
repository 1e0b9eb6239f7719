"""The first start makes the keys and says their public halves, once."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from authbus.state import PublicKey
from authbus.topics import KEYS_STATE
from authbus.trust import Trust
from authbus_service.core import clock
from authbus_service.core.database import Database
from authbus_service.core.security.masters import MasterKeyError, Masters
from authbus_service.outbox.repository import Waiting, oldest
from authbus_service.startup.keys import open_keyring


def masters() -> Masters:
    return Masters([secrets.token_bytes(32)])


async def waiting(database: Database) -> list[Waiting]:
    async with database.reading() as db:
        return await oldest(db, 100)


async def test_first_starts_side_by_side_agree_on_the_keys_and_publish_them_once(
    database: Database,
) -> None:
    ours = masters()

    rings = await asyncio.gather(*(open_keyring(database, ours) for _ in range(3)))

    said = await waiting(database)
    assert [ring.jwks() for ring in rings] == [rings[0].jwks()] * 3
    assert [row.topic for row in said] == [KEYS_STATE.suffix] * 2
    assert {row.key for row in said} == {key["kid"] for key in rings[0].jwks()["keys"]}


async def test_what_is_published_is_signed_under_the_root_that_serve_prints(
    database: Database,
) -> None:
    ring = await open_keyring(database, masters())

    records = [PublicKey.model_validate_json(row.payload or b"") for row in await waiting(database)]

    trust = Trust(ring.masters.root_thumbprint())
    assert len(records) == 2
    assert all(trust.accept(record) for record in records)


async def test_a_later_start_finds_the_keys_and_says_nothing_again(database: Database) -> None:
    ours = masters()
    first = await open_keyring(database, ours)

    later = await open_keyring(database, ours)

    assert later.jwks() == first.jwks()
    assert len(await waiting(database)) == 2


@pytest.mark.parametrize("hours", [-1, 1])
async def test_the_first_keys_serve_at_once_by_the_databases_clock_whatever_ours_says(
    database: Database, hours: int
) -> None:
    before = datetime.now(UTC)
    with clock.standing_at(before + timedelta(hours=hours)):
        ring = await open_keyring(database, masters())

    begins = [record.not_before for record in ring.public_records()]
    assert all(before <= each <= datetime.now(UTC) for each in begins)
    assert ring.sign({"iat": datetime.now(UTC).timestamp()})


async def test_keys_of_another_master_are_refused(database: Database) -> None:
    await open_keyring(database, masters())

    with pytest.raises(MasterKeyError, match="not in the list"):
        await open_keyring(database, masters())
