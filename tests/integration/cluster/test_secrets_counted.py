"""However many second factors there are, a start counts them in statements that are short."""

import secrets

import pytest

from authbus_service.auth import rewrapping
from authbus_service.core.database import Database
from authbus_service.core.security.masters import Masters
from tests.rig.wrapping import with_factors

OLD, NEW = Masters([secrets.token_bytes(32)]), Masters([secrets.token_bytes(32)])


@pytest.mark.parametrize("counted", [1, 7, 40, 41])
async def test_secrets_are_counted_some_at_a_time_and_each_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, counted: int
) -> None:
    monkeypatch.setattr(rewrapping, "_COUNTED", counted)
    for masters in (OLD, NEW):
        await with_factors(database, masters, 20)

    async with database.reading() as db:
        found = await rewrapping.by_master(db)

    assert found == {OLD.current: 20, NEW.current: 20}
