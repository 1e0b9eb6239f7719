"""`authbus serve` that stands still ends; one whose servers are away waits."""

import asyncio

import pytest
from sqlalchemy.engine import make_url

from authbus import AuthClient
from tests.integration.cli.conftest import Serve
from tests.rig.freezing import a_way

FIRST, EMAIL, PASSWORD = "ben@example.com", "ana@example.com", "correct horse battery"
PATIENCE = 30


@pytest.mark.nightly
@pytest.mark.timeout(300)
async def test_serve_waits_for_postgresql_and_ends_when_it_hangs_by_itself(
    serve: Serve, given: dict[str, str]
) -> None:
    url = make_url(given["DATABASE_URL"])
    async with a_way(str(url.host), url.port or 5432) as (way, port):
        near = url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        settings = {**given, "DATABASE_URL": near, "AUTHBUS_WATCHDOG_SECONDS": str(PATIENCE)}
        async with (
            serve(**settings) as running,
            AuthClient(
                given["KAFKA_BOOTSTRAP_SERVERS"],
                client_id="web",
                namespace=given["AUTHBUS_NAMESPACE"],
                trust=running.addresses["trust"],
                timeout=30,
            ) as auth,
        ):
            await auth.register(FIRST, PASSWORD)  # so that connections are open, and at rest
            way.is_open = False
            way.freeze()
            asked = asyncio.create_task(auth.register(EMAIL, PASSWORD))
            await asyncio.sleep(1.5 * PATIENCE)
            was_away = running.child.returncode
            way.is_open = True
            stalled = await asyncio.wait_for(running.child.wait(), 4 * PATIENCE)
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            lines = running.lines()

    assert was_away is None
    assert stalled == 1
    (line,) = [each for each in lines if each["level"] == "critical"]
    assert line["event"] == "the process is stalled"
    assert "makes no progress" in line["reason"]
