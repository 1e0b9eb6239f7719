"""The master key is replaced at running services, in the runbook's order, and nobody notices."""

import asyncio
import base64
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from authbus import AuthClient
from authbus.client import Session
from authbus.errors import SecondFactorNeeded
from authbus.topics import COMMANDS_KEPT
from authbus_service.core.database import Database
from authbus_service.core.security import repository
from authbus_service.core.security.masters import Masters, parse_masters
from tests.rig.authenticator import App
from tests.rig.command_line import authbus
from tests.rig.processes import serving

ANA, BEN, PASSWORD = "ana@example.com", "ben@example.com", "correct horse battery"
LEAD = 2

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(240)]


@pytest.fixture
def settings(settings: Mapping[str, str]) -> Mapping[str, str]:
    """Processes look for keys each second, and every log-in's session stays."""
    return {**settings, "AUTHBUS_KEYS_RELOAD_SECONDS": "1", "AUTHBUS_SESSIONS_PER_USER": "1000"}


def root_of(key: str) -> str:
    return Masters(parse_masters(key)).root_thumbprint()


async def eight_days_pass(database: Database) -> None:
    """Nothing needs the keys that have retired; mails and answers have run out."""
    at = datetime.now(UTC) - COMMANDS_KEPT - timedelta(minutes=1)
    async with database.transaction() as db:
        found = [key for key in await repository.keys(db) if key.retired_at is not None]
        await repository.set_retired(db, [replace(key, retired_at=at) for key in found])
        for table in ("mails", "inbox"):
            await db.execute(text(f"UPDATE {table} SET expires_at = :at"), {"at": at})


@dataclass(frozen=True)
class Stage:
    """Where services run under one list of master keys after the other."""

    settings: Mapping[str, str]
    database: Database
    log: Path

    def under(self, *masters: str) -> dict[str, str]:
        return {**self.settings, "AUTHBUS_MASTER_KEY": ",".join(masters)}

    @asynccontextmanager
    async def serving(self, *lists: tuple[str, ...]) -> AsyncGenerator[AuthClient]:
        """A process for each list; a client that trusts the roots of the first."""
        servers, namespace = (
            self.settings[name] for name in ("KAFKA_BOOTSTRAP_SERVERS", "AUTHBUS_NAMESPACE")
        )
        trust = tuple(map(root_of, lists[0]))
        async with AsyncExitStack() as stack:
            for number, masters in enumerate(lists):
                log = self.log.with_suffix(f".{len(lists)}{number}")
                await stack.enter_async_context(serving(self.under(*masters), log))
            async with AuthClient(
                servers, client_id="web", trust=trust, namespace=namespace
            ) as auth:
                yield auth

    async def enrolled(self, auth: AuthClient) -> App:
        """Ana has a second factor."""
        await auth.register(ANA, PASSWORD)
        session = await auth.log_in(ANA, PASSWORD)
        begun = await auth.factors.start_totp(session.access_token, PASSWORD)
        app = App(base64.b32decode(begun.secret))
        await auth.factors.confirm_totp(session.access_token, app.code().get_secret_value())
        return app

    async def with_code(self, auth: AuthClient, app: App) -> Session:
        """Ana logs in; the codes that she has used were used long ago."""
        async with self.database.transaction() as db:
            await db.execute(text("UPDATE factors SET last_step = last_step - 30"))
        with pytest.raises(SecondFactorNeeded) as asked:
            await auth.log_in(ANA, PASSWORD)
        return await auth.factors.complete_log_in(
            asked.value.challenge, app.code().get_secret_value()
        )

    async def replaced(self, *options: str, masters: tuple[str, ...]) -> tuple[int, dict[str, Any]]:
        status, out, err = await authbus(
            self.under(*masters), "keys", "replace-master", "--lead", str(LEAD), *options
        )
        assert out, err
        return status, json.loads(out.splitlines()[-1])


@asynccontextmanager
async def logging_in(auth: AuthClient) -> AsyncGenerator[list[Session]]:
    """Ben logs in and refreshes all the while; the first that fails is told at the end."""
    taken: list[Session] = []

    async def run() -> None:
        while True:
            taken.append(await auth.refresh(await auth.log_in(BEN, PASSWORD)))

    task = asyncio.create_task(run())
    try:
        yield taken
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def replaced_under_load(
    stage: Stage, auth: AuthClient, app: App, masters: tuple[str, ...]
) -> list[Session]:
    """By the runbook's commands, with log-ins all the while; returns Ana's sessions."""
    new, old = masters
    async with logging_in(auth) as taken:
        foretold = await stage.replaced("--dry-run", masters=masters)
        begun = await stage.replaced("--trusted", root_of(new), masters=masters)
        sessions = [await stage.with_code(auth, app) for _ in range(4)]
        status, _, err = await authbus(
            stage.under(old, new), "sessions", "list", ANA, "--client", "web"
        )
        await asyncio.sleep(LEAD + 2)
        before = len(taken)
        await eight_days_pass(stage.database)
        ended = await stage.replaced(masters=masters)
        sessions += [await stage.with_code(auth, app) for _ in range(4)]
        async with asyncio.timeout(20):
            while len(taken) < before + 5:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert [each for each, _ in (foretold, begun, ended)] == [1, 1, 0], (begun, ended)
    assert (ended[1]["left"], status, err) == (0, 0, "")
    assert before > 0
    return sessions


async def test_the_master_key_is_replaced_while_users_log_in_and_nobody_notices(
    settings: Mapping[str, str], database: Database, tmp_path: Path
) -> None:
    old = settings["AUTHBUS_MASTER_KEY"]
    new = base64.b64encode(os.urandom(32)).decode()
    stage = Stage(settings, database, tmp_path / "service")

    async with stage.serving((old,)) as auth:
        app = await stage.enrolled(auth)
        await auth.register(BEN, PASSWORD)
        first = await stage.with_code(auth, app)
    async with stage.serving((new, old), (old, new)) as auth:
        sessions = await replaced_under_load(stage, auth, app, (new, old))
    async with stage.serving((new,)) as auth:
        last = await stage.with_code(auth, app)
        for session in (first, *sessions, last):
            await auth.refresh(session)

    logs = "".join((tmp_path / f"service.{each}").read_text() for each in (10, 20, 21))
    assert "dead letter" not in logs
    assert "command failed" not in logs
