"""schemas/examples/go: franz-go, go-jose, the CloudEvents SDK and pgx."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from authbus.events import SessionStarted
from authbus_service.core.clock import now
from authbus_service.core.database import Database
from tests.e2e.conftest import Serving
from tests.interop import new_keys
from tests.rig import foreign
from tests.rig.phantom import aborted_and_committed, told_again

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

SOURCE = foreign.EXAMPLES / "go"
PROGRAMS = foreign.CACHE / "go" / "programs"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def programs() -> Path:
    """The folder with the programs, built with the versions and hashes of go.sum."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    besides = {SOURCE / "register" / "main.go": new_keys.PROGRAMS / "register.go"}
    overlay = PROGRAMS.parent / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(to): str(of) for to, of in besides.items()}}))
    await foreign.built_by_go("vet", "./...", folder=SOURCE)
    how = f"-overlay={overlay}", "-o", f"{PROGRAMS}/"
    await foreign.built_by_go("build", *how, "./...", folder=SOURCE)
    return PROGRAMS


async def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    async with database.engine.connect() as connection:
        found = await connection.execute(text(f"SELECT * FROM {table} ORDER BY sequence"))
        return [tuple(row) for row in found]


async def view(
    programs: Path, places: Mapping[str, str], *options: str, group: str, until: str
) -> list[str]:
    """What the view prints until this line; its tables have it by then."""
    name = f"{places['AUTHBUS_NAMESPACE']}-{group}"
    command = (str(programs / "view"), "-group", name, *options)
    async with foreign.started(*command, folder=SOURCE, environment=places) as child:
        return await foreign.lines_until(child, until)


@pytest.fixture
def with_tables(places: Mapping[str, str], database_url: str) -> Mapping[str, str]:
    return {**places, "DATABASE_URL": database_url.replace("+asyncpg", "")}


async def test_go_registers_logs_in_refreshes_is_refused_and_logs_out(
    programs: Path, places: Mapping[str, str]
) -> None:
    told = await foreign.run(str(programs / "login"), folder=SOURCE, environment=places)

    foreign.is_a_life(told)


async def test_go_goes_over_to_new_keys_while_it_runs_and_when_it_starts_again(
    programs: Path, places: Mapping[str, str], serving: Serving
) -> None:
    command = str(programs / "register")
    await new_keys.goes_over_to_them(command, folder=SOURCE, environment=places, serving=serving)

    command = str(programs / "login")
    foreign.is_a_life(await foreign.run(command, folder=SOURCE, environment=places))


async def test_a_go_view_of_users_and_ended_sessions_keeps_what_an_older_event_would_undo(
    programs: Path, with_tables: Mapping[str, str], serving: Serving, database: Database
) -> None:
    told = await foreign.run(str(programs / "login"), folder=SOURCE, environment=with_tables)
    user, session = UUID(told[0].split(" ")[1]), UUID(told[-1].split(" ")[2])
    started = SessionStarted(
        user_id=user,
        sequence=2,
        actor=f"user:{user}",
        causation_id=uuid4(),
        session_id=session,
        client_id="web",
        amr=("pwd",),
        expires_at=now(),
        lapses_at=now(),
    )

    heard = await view(programs, with_tables, group="one", until="authbus.SessionEnded.v1")
    first = await rows(database, "view_users"), await rows(database, "view_sessions")
    await told_again(serving.servers, serving.namespace, started)
    later = await view(programs, with_tables, group="one", until="authbus.SessionStarted.v1")
    second = await rows(database, "view_users"), await rows(database, "view_sessions")

    assert heard == foreign.events_of(user)
    assert later == [f"authbus.SessionStarted.v1 {user} 2"]
    assert first == second == ([(user, 1, "active")], [(session, user, 4, "logout")])


async def test_without_read_committed_a_go_view_has_a_user_who_never_was(
    programs: Path, with_tables: Mapping[str, str], serving: Serving, database: Database
) -> None:
    never, real = await aborted_and_committed(serving.servers, serving.namespace)
    until = f"authbus.UserCreated.v1 {real}"

    await view(programs, with_tables, group="first", until=until)
    committed = {row[0] for row in await rows(database, "view_users")}
    await view(programs, with_tables, "-uncommitted", group="careless", until=until)
    uncommitted = {row[0] for row in await rows(database, "view_users")}

    assert committed == {real}
    assert uncommitted == {real, never}
