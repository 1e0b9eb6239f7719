"""Root, a root without user namespaces and an ordinary user all get a database."""

import sys
from pathlib import Path

from authbus_service.embedded import EmbeddedStack
from tests.integration.embedded import deny_namespaces
from tests.integration.embedded.helpers import ordinary, rights_of, running, sql


async def test_an_ordinary_user_can_run_it(tmp_path: Path) -> None:
    with running("--data", str(tmp_path / "data"), before=ordinary(tmp_path)) as run:
        one = await sql(run.addresses.database_url, "SELECT 1")
        rights = rights_of(run.child.pid)

    assert one == 1
    assert int(rights, 16) == 0


async def test_a_root_without_namespaces_lets_postgresql_run_as_nobody() -> None:
    with running(before=[sys.executable, deny_namespaces.__file__]) as run:
        one = await sql(run.addresses.database_url, "SELECT 1")
        users = {server.uids().real for server in run.servers() if server.name() == "postgres"}

    assert one == 1
    assert 0 not in users


async def test_postgresql_runs_whoever_starts_it() -> None:
    async with EmbeddedStack(kafka=False) as stack:
        one = await sql(stack.addresses.database_url, "SELECT 1")
        rights = rights_of(stack.postgres_process.pid)

    assert one == 1
    assert int(rights, 16) == 0
