"""`authbus recover` as a person runs it: PostgreSQL is gone, the topics are there."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from authbus import AuthClient, AuthRejected, Verifier
from authbus.client import Session, User
from authbus.errors import TokenRevoked
from authbus_service.core.database import Database
from authbus_service.demo.child import running
from authbus_service.embedded import Addresses
from authbus_service.startup.errors import StartupError
from tests.rig.accident import forget_commands
from tests.rig.command_line import authbus
from tests.rig.databases import empty_database
from tests.rig.processes import serving

EMAIL, PASSWORD, NEW = "ana@example.com", "correct horse battery", "staple them together"
APPLIED = {"PasswordChanged": 1, "SessionStarted": 1, "UserCreated": 1}


async def lived(settings: Mapping[str, str], log: Path) -> tuple[dict[str, Any], User, Session]:
    """A user registers, logs in and changes the password; returns how to reach the service."""
    async with serving(settings, log) as service:
        where: dict[str, Any] = {
            "namespace": settings["AUTHBUS_NAMESPACE"],
            "trust": str(service.told["trust"]),
            "client_id": "web",
        }
        async with AuthClient(settings["KAFKA_BOOTSTRAP_SERVERS"], **where) as auth:
            user = await auth.register(EMAIL, PASSWORD)
            session = await auth.log_in(EMAIL, PASSWORD)
            await auth.passwords.change(session.access_token, PASSWORD, NEW)
    return where, user, session


@pytest.mark.gate
@pytest.mark.timeout(180)
async def test_a_lost_database_is_noticed_and_comes_back_from_nothing_but_the_topics(
    settings: Mapping[str, str], database: Database, addresses: Addresses, tmp_path: Path
) -> None:
    await database.close()
    where, ana, session = await lived(settings, tmp_path / "before.log")
    empty = {**settings, "DATABASE_URL": await empty_database(addresses)}
    assert (await authbus(empty, "migrate"))[0] == 0
    with pytest.raises(StartupError, match="Run: authbus recover"):
        async with running(empty, tmp_path / "refused.log"):
            pass

    report = tmp_path / "report.json"
    runs = [
        await authbus(empty, "recover", "--dry-run"),
        await authbus(empty, "recover", "--report", str(report)),
        await authbus(empty, "recover"),
    ]

    async with (
        serving(empty, tmp_path / "after.log"),
        AuthClient(addresses.bootstrap_servers, **where) as auth,
    ):
        back = await auth.log_in(EMAIL, NEW)
        with pytest.raises(AuthRejected):
            await auth.log_in(EMAIL, PASSWORD)
        sessions = await auth.sessions.list(session.access_token)
    assert back.user_id == ana.user_id
    assert {each.session_id for each in sessions} == {session.session_id, back.session_id}
    assert [(code, json.loads(out)["events_applied"]) for code, out, _ in runs] == [
        (0, APPLIED),
        (0, APPLIED),
        (0, {}),
    ]
    told = "".join(out + err for _, out, err in runs) + report.read_text()
    assert not [each for each in (EMAIL, PASSWORD, NEW) if each in told]


@pytest.mark.gate
@pytest.mark.timeout(180)
async def test_a_token_is_refused_whose_session_could_not_come_back(
    settings: Mapping[str, str], database: Database, addresses: Addresses, tmp_path: Path
) -> None:
    await database.close()
    where, ana, session = await lived(settings, tmp_path / "before.log")
    await forget_commands(addresses.bootstrap_servers, where["namespace"])
    empty = {**settings, "DATABASE_URL": await empty_database(addresses)}
    assert (await authbus(empty, "migrate"))[0] == 0

    code, out, _ = await authbus(empty, "recover")

    there = {"namespace": where["namespace"], "trust": where["trust"]}
    servers = addresses.bootstrap_servers
    async with Verifier(servers, audience="web", on_stale="accept", **there) as verifier:
        assert verifier.verify(session.access_token).session_id == session.session_id
        async with (
            serving(empty, tmp_path / "after.log"),
            AuthClient(servers, **where) as auth,
            asyncio.timeout(20),
        ):
            while not _is_revoked(verifier, session):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            with pytest.raises(AuthRejected):
                await auth.log_in(EMAIL, NEW)
    report = json.loads(out)
    assert (code, report["sessions_ended"]) == (0, 1)
    assert {(each["user_id"], each["what"].split()[0]) for each in report["lost"]} == {
        (str(ana.user_id), "password"),
        (str(ana.user_id), "session"),
    }


def _is_revoked(verifier: Verifier, session: Session) -> bool:
    try:
        verifier.verify(session.access_token)
    except TokenRevoked:
        return True
    return False
