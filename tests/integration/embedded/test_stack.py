"""A real broker and a real database come up, answer, and go."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from authbus_service.core.database import connect
from authbus_service.embedded import EmbeddedStack, PortTakenError, ServerFailedError
from tests.integration.embedded.helpers import create_topic, exists, first_record, produce, sql


@pytest.mark.slow
async def test_a_warm_stack_is_ready_in_about_a_second() -> None:
    took: list[float] = []
    while len(took) < 4 and min(took, default=9) > 2:
        began = time.monotonic()
        async with EmbeddedStack():
            took.append(time.monotonic() - began)

    print(f"warm start: {min(took):.2f} s")  # noqa: T201 - a figure to see with -s
    assert min(took) < 5


async def test_a_stack_answers() -> None:
    async with EmbeddedStack() as stack:
        kafka, database = stack.addresses.bootstrap_servers, stack.addresses.database_url
        await create_topic(kafka, "greetings")
        await produce(kafka, "greetings", b"hello")
        record, version = await asyncio.gather(
            first_record(kafka, "greetings"), sql(database, "SHOW server_version")
        )

    assert record == b"hello"
    assert str(version).startswith("18.")
    assert database.endswith("/authbus")


async def test_a_stack_without_a_folder_leaves_nothing_behind() -> None:
    async with EmbeddedStack() as stack:
        pids = (stack.kafka_process.pid, stack.postgres_process.pid)
        folders = (stack.kafka_log_dir, stack.postgres_data_dir)
        assert all(folder.is_dir() for folder in folders)

    assert not any(exists(path) for path in (*folders, *(Path(f"/proc/{pid}") for pid in pids)))


async def test_only_what_is_wanted_is_started() -> None:
    async with EmbeddedStack(kafka=False) as stack:
        fsync = await sql(stack.addresses.database_url, "SHOW fsync")

        assert stack.addresses.bootstrap_servers == ""
        assert fsync == "off"
        with pytest.raises(ServerFailedError, match="not part of the stack"):
            _ = stack.kafka_process


async def test_a_kept_folder_waits_for_the_disk_and_keeps_password_and_port(
    tmp_path: Path,
) -> None:
    async with EmbeddedStack(tmp_path, kafka=False) as stack:
        first = stack.addresses
        fsync = await sql(first.database_url, "SHOW fsync")

    async with EmbeddedStack(tmp_path, kafka=False) as stack:
        second = stack.addresses

    assert fsync == "on"
    assert second == first


@pytest.mark.parametrize("left", ["", "\0\0\0\0\0", "99999"])
async def test_a_port_that_cannot_be_read_after_a_crash_is_found_anew(
    tmp_path: Path, left: str
) -> None:
    async with EmbeddedStack(tmp_path, kafka=False):
        pass
    written = tmp_path / "postgres" / "port"
    written.write_text(left)

    async with EmbeddedStack(tmp_path, kafka=False) as stack:
        one = await sql(url := stack.addresses.database_url, "SELECT 1")

    assert one == 1
    assert f":{written.read_text()}/" in url


async def test_the_database_wants_its_password() -> None:
    async with EmbeddedStack(kafka=False) as stack:
        url = stack.addresses.database_url
        password = url.split(":")[2].split("@")[0]

        with pytest.raises(Exception, match="password authentication failed"):
            await sql(url.replace(password, "guess"), "SELECT 1")


async def test_a_port_that_is_given_is_used_and_one_that_is_taken_is_named() -> None:
    async with EmbeddedStack(kafka=False) as stack:
        port = int(stack.addresses.database_url.split(":")[3].split("/")[0])

        with pytest.raises(PortTakenError, match=str(port)):
            await EmbeddedStack(kafka=False, postgres_port=port).start()

    async with EmbeddedStack(kafka=False, postgres_port=port) as stack:
        assert f":{port}/" in stack.addresses.database_url


async def test_a_server_that_dies_is_told_with_the_end_of_its_log() -> None:
    async with EmbeddedStack(kafka=False) as stack:
        os.kill(stack.postgres_process.pid, signal.SIGKILL)

        told = await asyncio.wait_for(stack.died(), 5)

    assert "PostgreSQL ended" in told
    assert "ready to accept connections" in told


async def test_a_broker_that_is_refused_its_settings_says_why() -> None:
    stack = EmbeddedStack(postgres=False, broker_config={"num.io.threads": "none"})

    with pytest.raises(ServerFailedError, match=r"num\.io\.threads"):
        await stack.start()


@pytest.mark.parametrize("mode", ["require", "verify-full"])
async def test_the_own_database_is_reached_whatever_is_set_for_others(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("PGSSLMODE", mode)

    async with EmbeddedStack(kafka=False) as stack:
        database = connect(stack.addresses.database_url)
        async with database.reading() as db:
            one = await db.scalar(text("SELECT 1"))
        await database.close()

        assert one == 1
        assert await sql(stack.addresses.database_url, "SELECT 1") == 1
