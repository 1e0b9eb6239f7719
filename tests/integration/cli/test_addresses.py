"""A password in the query of the database's address, as libpq takes it, is printed nowhere."""

import json

import pytest
from sqlalchemy import make_url

from tests.integration.cli.conftest import OWN, Authbus, Serve

SECRET = "hunter2secret"
AWAY = f"127.0.0.1:1/auth?user=authbus&password={SECRET}"
ASKED = (("serve",), ("migrate",), ("doctor",), ("keys", "list"), ("demo",))


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
async def test_a_database_that_is_away_is_named_without_its_password(
    authbus: Authbus, given: dict[str, str], asked: tuple[str, ...]
) -> None:
    settings = {**given, **OWN, "DATABASE_URL": f"postgresql://{AWAY}"}

    ended = await authbus(*asked, **settings)

    assert ended.status == 1
    assert "the database at postgresql://127.0.0.1:1/auth cannot be used" in ended.out + ended.err
    assert SECRET not in ended.out + ended.err


async def test_a_good_start_shows_where_the_database_is_without_its_password(
    serve: Serve, given: dict[str, str]
) -> None:
    url = make_url(given["DATABASE_URL"])
    there = f"postgresql://{url.host}:{url.port}/{url.database}"
    by_query = f"{there}?user={url.username}&password={url.password}"

    async with serve(**{**given, "DATABASE_URL": by_query}) as running:
        shown = running.addresses

    assert shown["database"] == there
    assert str(url.password) not in json.dumps(shown) + running.log.read_text(encoding="utf-8")
