"""Which Kafka and which PostgreSQL run can be chosen, among those whose files are pinned."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from authbus_service.embedded import EmbeddedError, EmbeddedStack
from authbus_service.embedded.jar_lock import read, versions


@pytest.fixture
async def oldest(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EmbeddedStack]:
    """The oldest PostgreSQL that can be had."""
    monkeypatch.setenv("AUTHBUS_EMBEDDED_POSTGRES", "16")
    async with EmbeddedStack(kafka=False) as stack:
        yield stack


async def test_an_older_postgresql_runs_when_it_is_asked_for(oldest: EmbeddedStack) -> None:
    db = await asyncpg.connect(oldest.addresses.database_url.replace("+asyncpg", ""))

    version = db.get_server_version()
    await db.close()

    assert version.major == 16


@pytest.mark.parametrize("version", versions())
def test_every_version_of_kafka_that_is_offered_has_its_jars_pinned(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setenv("AUTHBUS_EMBEDDED_KAFKA", version)

    lock = read()

    assert (lock.version, lock.jars[0].gav) == (version, f"org.apache.kafka:kafka_2.13:{version}")


async def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AUTHBUS_EMBEDDED_KAFKA", "2.8.0")
    monkeypatch.setenv("AUTHBUS_EMBEDDED_POSTGRES", "9.6")

    with pytest.raises(EmbeddedError, match=r"2\.8\.0 is not one .*: 3\.5\.2, 3\.9\.2, 4\.3\.0"):
        await EmbeddedStack(postgres=False).start()
    with pytest.raises(EmbeddedError, match=r"9\.6 is not one of those that can be had: 16, 18"):
        await EmbeddedStack(kafka=False).start()


async def test_data_of_another_postgresql_is_refused_with_what_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHBUS_EMBEDDED_POSTGRES", "16")
    async with EmbeddedStack(tmp_path, kafka=False):
        pass
    monkeypatch.delenv("AUTHBUS_EMBEDDED_POSTGRES")

    with pytest.raises(EmbeddedError, match=r"^[^\n]*Set AUTHBUS_EMBEDDED_POSTGRES=16, or [^\n]*$"):
        await EmbeddedStack(tmp_path, kafka=False).start()
