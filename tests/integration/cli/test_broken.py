"""A service that is not as it must be does not start: it ends with the reason and what mends it."""

import base64
import os
from collections.abc import AsyncGenerator, Mapping

import pytest
from sqlalchemy import text

from authbus.topics import EVENTS
from authbus_service.cluster import Admin
from authbus_service.core.database import connect
from authbus_service.embedded import Addresses
from tests.integration.cli.conftest import OWN, Authbus, Serve
from tests.rig.databases import copied_database, drop_database, empty_database

# What is changed of settings that are right, and what is said then.
SETTINGS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "no master key": ({"AUTHBUS_MASTER_KEY": ""}, "Make one with: authbus keys new"),
    "a master key of zeros": (
        {"AUTHBUS_MASTER_KEY": base64.b64encode(bytes(32)).decode()},
        "a master key is not random. Make one with: authbus keys new",
    ),
    "another master key": (
        {"AUTHBUS_MASTER_KEY": base64.b64encode(os.urandom(32)).decode()},
        "is not in the list",
    ),
    "no clients": ({"AUTHBUS_CLIENTS": ""}, "AUTHBUS_CLIENTS is needed"),
    "clients that are nowhere": ({"AUTHBUS_CLIENTS": "nowhere.toml"}, "cannot be read"),
    "a setting that there is not": (
        {"AUTHBUS_ARGON2_MEMORY": "65536"},
        "did you mean AUTHBUS_ARGON2_MEMORY_KIB?",
    ),
    "a hash that costs nothing": ({"AUTHBUS_ARGON2_MEMORY_KIB": "1"}, "AUTHBUS_ARGON2_MEMORY_KIB"),
    "a name for Kafka without encryption": (
        {"AUTHBUS_KAFKA_USERNAME": "ana"},
        "AUTHBUS_KAFKA_USERNAME needs AUTHBUS_KAFKA_SECURITY_PROTOCOL=SASL_SSL",
    ),
    "topics of nobody": ({"AUTHBUS_NAMESPACE": "another"}, "is missing. Mend it: authbus topics"),
}
# What is changed in a database that was right.
DATABASES = {
    "of another namespace": (
        "UPDATE installation SET namespace = 'another'",
        "Set AUTHBUS_NAMESPACE=another, or give another DATABASE_URL",
    ),
    "of another cluster": (
        "UPDATE installation SET cluster_id = 'another'",
        "this database belongs to the Kafka cluster another",
    ),
    "of an older version": (
        "UPDATE alembic_version SET version_num = '0000'",
        "Bring it there: authbus migrate",
    ),
    "that is half recovered": (
        "UPDATE installation SET recovering = true",
        "a recovery has begun and is not finished. Run: authbus recover",
    ),
}


async def broken(
    given: Mapping[str, str], addresses: Addresses
) -> AsyncGenerator[tuple[str, Mapping[str, str], str]]:
    """Each that is not as it must be: its name, its settings, what is said."""
    for name, (changes, says) in SETTINGS.items():
        yield name, {**given, **changes}, says
    without = await empty_database(addresses)
    yield "no tables", {**given, "DATABASE_URL": without}, "Make them: authbus migrate"
    await drop_database(addresses, without)
    url = f"{given['DATABASE_URL']}?sslmode=verify-full"
    yield "a database that proves nothing", {**given, "DATABASE_URL": url}, "cannot be used"
    for name, (change, says) in DATABASES.items():
        url = await copied_database(addresses, given["DATABASE_URL"])
        database = connect(url)
        async with database.transaction() as db:
            await db.execute(text(change))
        await database.close()
        yield f"a database {name}", {**given, "DATABASE_URL": url}, says
        await drop_database(addresses, url)
    events = EVENTS.name(given["AUTHBUS_NAMESPACE"])
    async with Admin.connect(addresses.bootstrap_servers, {}) as admin:
        await admin.set(events, {"cleanup.policy": "delete", "retention.ms": "1000"})
    yield "events that go after a second", given, "retention.ms is 1000, not -1. Mend it: authbus"


@pytest.mark.slow
async def test_none_of_sixteen_broken_configurations_starts_and_each_says_what_mends_it(
    authbus: Authbus, serve: Serve, given: dict[str, str], addresses: Addresses
) -> None:
    async with serve(**given) as running:
        assert await running.stop() == 0

    wrong: dict[str, str] = {}
    names: list[str] = []
    async for name, settings, says in broken(given, addresses):
        ended = await authbus("serve", **OWN, **settings)
        names.append(name)
        if ended.status != 1 or ended.out or says not in ended.err or "Traceback" in ended.err:
            wrong[name] = f"{ended.status}: {ended.out}{ended.err}"

    assert wrong == {}
    assert len(names) == 16
