"""A PostgreSQL whose host is gone without a word, while another one is there in its place."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url, text

from authbus_service.consumers.transient import OUTAGE, is_transient
from authbus_service.core import connection
from authbus_service.core.database import Database, connect
from tests.rig.freezing import Way, a_way

ALL = 8


@pytest.fixture
async def way(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Way, Database]]:
    """A way to a database, and the database by it; silence is borne for a second or two."""
    for name, value in {"KEEPIDLE": 1, "KEEPINTVL": 1, "USER_TIMEOUT": 1000}.items():
        monkeypatch.setitem(connection._SILENCE, f"TCP_{name}", value)  # pyright: ignore[reportPrivateUsage]
    url = make_url(database_url)
    async with a_way(str(url.host), url.port or 5432) as (made, port):
        near = url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        database = connect(near, connections=ALL)
        yield made, database
        await database.close()


async def slept(database: Database, seconds: float) -> None:
    async with database.transaction() as db:
        await db.execute(text(f"SELECT pg_sleep({seconds})"))


async def all_slept(database: Database, seconds: float) -> list[BaseException | None]:
    """As many at a time as there are connections."""
    async with asyncio.timeout(8):
        asked = [slept(database, seconds) for _ in range(ALL)]
        return await asyncio.gather(*asked, return_exceptions=True)


@pytest.mark.parametrize("how", ["at rest", "at work"])
async def test_connections_to_it_are_given_up_and_the_next_ones_work(
    way: tuple[Way, Database], how: str
) -> None:
    to, database = way
    assert await all_slept(database, 0.1) == [None] * ALL

    if how == "at work":
        asyncio.get_running_loop().call_later(0.5, to.vanish)
        found = await all_slept(database, 9)
    else:
        to.vanish()
        found = await all_slept(database, 0.1)

    assert all(isinstance(each, OUTAGE) and is_transient(each) for each in found)
    assert await all_slept(database, 0.1) == [None] * ALL
