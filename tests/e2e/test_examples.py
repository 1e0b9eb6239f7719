"""The programs in schemas/examples run as they stand there."""

import sys
from collections.abc import Mapping

import pytest

from authbus import AuthClient
from tests.e2e.conftest import Serving
from tests.rig import foreign

ANA = ("ana@example.com", "correct horse battery")


async def run(name: str, places: Mapping[str, str]) -> str:
    """What an example prints until it ends."""
    lines = await foreign.run(
        sys.executable, name, folder=foreign.EXAMPLES, environment=places, seconds=90
    )
    return "\n".join(lines)


async def until(name: str, line: str, places: Mapping[str, str], *, kill: bool = False) -> None:
    """Run an example that goes on for ever until it prints this; it may not see its end coming."""
    command = (sys.executable, name)
    async with foreign.started(*command, folder=foreign.EXAMPLES, environment=places) as child:
        await foreign.lines_until(child, line)
        if kill:
            child.kill()
            await child.communicate()


@pytest.mark.timeout(400)
async def test_each_example_does_what_it_says(serving: Serving) -> None:
    places = {
        "KAFKA_BOOTSTRAP_SERVERS": serving.servers,
        "AUTHBUS_NAMESPACE": serving.namespace,
        "DATABASE_URL": serving.settings["DATABASE_URL"].replace("+asyncpg", ""),
    }
    async with AuthClient(
        serving.servers, client_id="web", namespace=serving.namespace, trust=serving.trust
    ) as auth:
        user = await auth.register(*ANA)
        await auth.log_out(await auth.log_in(*ANA))
        await until("log_in_counts.py", "log-ins by web 1", places, kill=True)
        by_hand = await run("register_by_hand.py", places)
        billing = await run("billing.py", places)
        book = await run("address_book.py", places)
        await until("welcome.py", f"welcome {user.user_id}", places)
        await auth.log_in(*ANA)  # by now Kafka has missed the one that was killed
        await until("log_in_counts.py", "log-ins by web 2", places)

    assert "authbus.Registered.v1" in by_hand
    assert "ended by logout" in billing
    assert book.startswith("2 users:")
    assert "somebody <ana@example.com>" in book
