"""Kills leave no orphan and lose nothing; one folder has one run."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from authbus_service.embedded import DataInUseError, EmbeddedStack
from tests.integration.embedded.helpers import (
    alive,
    create_topic,
    first_record,
    produce,
    running,
    said_by,
    sql,
)


async def test_a_killed_parent_leaves_no_orphan_and_its_folder_can_be_used_at_once(
    tmp_path: Path,
) -> None:
    with running("--data", str(tmp_path)) as run:
        await sql(run.addresses.database_url, "CREATE TABLE kept (n int)")
        await create_topic(run.addresses.bootstrap_servers, "kept")
        await produce(run.addresses.bootstrap_servers, "kept", b"still here")
        servers = run.servers()

        run.child.kill()
        run.child.wait()
        async with EmbeddedStack(tmp_path) as stack:
            left = alive(servers)
            record = await first_record(stack.addresses.bootstrap_servers, "kept")
            rows = await sql(stack.addresses.database_url, "SELECT count(*) FROM kept")

    assert len(servers) > 2
    assert left == []
    assert record == b"still here"
    assert rows == 0


@pytest.mark.gate
@pytest.mark.parametrize("kept", [True, False])
async def test_what_was_acknowledged_outlives_a_sigkill_of_both_servers(
    tmp_path: Path, kept: bool
) -> None:
    settings = {"broker.session.timeout.ms": "1000"}
    async with EmbeddedStack(tmp_path if kept else None, broker_config=settings) as stack:
        before = stack.addresses
        await create_topic(before.bootstrap_servers, "kept")
        await produce(before.bootstrap_servers, "kept", b"still here")
        await sql(before.database_url, "CREATE TABLE kept AS SELECT 7 AS n")

        await asyncio.gather(stack.kill_kafka(), stack.kill_postgres())
        await asyncio.gather(stack.restart_kafka(), stack.restart_postgres())
        record = await first_record(before.bootstrap_servers, "kept")
        number = await sql(before.database_url, "SELECT n FROM kept")

        assert stack.addresses == before
        assert record == b"still here"
        assert number == 7


async def test_a_second_run_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with EmbeddedStack(tmp_path, kafka=False) as stack:
        with pytest.raises(DataInUseError, match=f"in use: process {os.getpid()} "):
            await EmbeddedStack(tmp_path, kafka=False).start()
        status, said = await asyncio.to_thread(said_by, "run", "--data", str(tmp_path))

        assert status == 1
        assert "in use" in said
        assert "Traceback" not in said
        assert await sql(stack.addresses.database_url, "SELECT 1") == 1


@pytest.mark.gate
def test_the_program_ends_with_a_server_that_died() -> None:
    with running() as run:
        servers = run.servers()

        next(server for server in servers if server.name() == "java").kill()

        assert run.child.wait(15) == 1
        assert alive(servers) == []


def test_the_program_ends_well_on_a_signal() -> None:
    with running() as run:
        servers = run.servers()

        run.child.send_signal(signal.SIGINT)

        assert run.child.wait(15) == 0
        assert alive(servers) == []


async def test_servers_of_a_kept_folder_run_without_the_service_and_tools_take_their_addresses(
    tmp_path: Path,
) -> None:
    async with EmbeddedStack(tmp_path) as stack:
        await sql(stack.addresses.database_url, "CREATE TABLE kept AS SELECT 7 AS n")

    with running("--data", str(tmp_path)) as run:
        db = await asyncpg.connect(run.addresses.database_url)
        number = await db.fetchval("SELECT n FROM kept")
        await db.close()

    assert number == 7
