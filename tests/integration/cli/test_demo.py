"""`authbus demo`, run as a program with its output in a pipe."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from authbus_service.demo.child import last_words
from tests.integration.cli.conftest import Authbus, Ended

SECRETS = ("correct horse battery", "correct horse butter")


def told(ended: Ended, who: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in ended.out.splitlines()]
    return [line for line in lines if line["who"] == who]


async def databases_of_demos(url: str) -> set[str]:
    db = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        found = await db.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'demo%'")
        return {row["datname"] for row in found}
    finally:
        await db.close()


async def topics_of_demos(servers: str) -> set[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        return {name for name in await admin.list_topics() if name.startswith("demo-")}
    finally:
        await admin.close()


async def test_the_demo_tells_a_life_of_an_account_in_json_lines_and_its_bytes_hold_nothing_secret(
    authbus: Authbus,
) -> None:
    ended = await authbus("demo", "--bytes")

    assert ended.status == 0, ended.err
    assert [each["what"] for each in told(ended, "downstream")] == [
        "UserCreated",
        "SessionStarted",
        "SessionEnded",
    ]
    assert [each["sequence"] for each in told(ended, "downstream")] == [1, 2, 3]
    assert len([each for each in told(ended, "command") if "bytes" in each]) == 5
    assert len(told(ended, "reply")) == 5
    assert {"code": "invalid_credentials"}.items() <= told(ended, "producer")[1].items()
    assert told(ended, "producer")[3]["same_session"] is True
    assert told(ended, "producer")[-1]["reason"] == "session_ended"
    assert told(ended, "demo")[-1]["passwords_and_tokens_on"] == []
    assert told(ended, "demo")[-1]["address_on"] == ["auth.state.users.v1"]
    values = [each["value"] for each in told(ended, "command") if "value" in each]
    assert len(values) == 5
    assert all(value.startswith("eyJ") and value.count(".") == 4 for value in values)
    assert not any(secret in ended.out for secret in SECRETS)


async def test_the_demo_on_given_servers_takes_away_what_it_made(
    authbus: Authbus, servers: str, database_url: str
) -> None:
    ended = await authbus("demo", KAFKA_BOOTSTRAP_SERVERS=servers, DATABASE_URL=database_url)

    assert ended.status == 0, ended.err
    (address_on,) = told(ended, "demo")[-1]["address_on"]
    assert address_on.startswith("demo-")
    await _until_gone(servers, database_url)


async def test_the_demo_says_when_it_may_not_make_a_database(
    authbus: Authbus, database_url: str
) -> None:
    db = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    await db.execute("DROP ROLE IF EXISTS plain; CREATE ROLE plain LOGIN PASSWORD 'plain'")
    await db.close()
    server = database_url.rpartition("@")[2]

    ended = await authbus("demo", DATABASE_URL=f"postgresql://plain:plain@{server}")

    assert ended.status == 1
    assert "ALTER ROLE plain CREATEDB" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}])
async def test_the_demo_says_why_the_service_did_not_start(
    authbus: Authbus, settings: dict[str, str]
) -> None:
    ended = await authbus("demo", **settings)

    assert ended.status == 1
    assert "127.0.0.1:1" in ended.err.splitlines()[-1]


async def _until_gone(servers: str, url: str) -> None:
    """A broker learns of a deletion a moment later, and another demo may be under way."""
    async with asyncio.timeout(30):
        while await topics_of_demos(servers) or await databases_of_demos(url):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ('{"level":"info"}\nauthbus: Kafka ended. It says:\nno room\nbye\n', "Kafka ended."),
        ("authbus: Kafka ended. It says:\nno room\n", "Kafka ended."),
        ("Traceback\nKeyError: 'x'\n", "KeyError"),
        ("", "it said nothing"),
    ],
)
def test_the_demo_repeats_the_service_from_where_it_began_to_say_why(
    tmp_path: Path, log: str, words: str
) -> None:
    written = tmp_path / "service.log"
    written.write_text(log)

    assert last_words(written).startswith(words)
