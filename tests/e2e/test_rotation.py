"""Keys are replaced while everybody works: two processes, clients that log in, verifiers."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authbus import AuthClient, Verifier
from authbus.client import Session
from authbus.errors import TokenExpired, TokenInvalid
from authbus.signing import take_apart
from authbus.tokens import LEEWAY
from tests.e2e.conftest import Serving
from tests.rig import processes
from tests.rig.command_line import authbus
from tests.rig.rotating import jwks, long_ago, without

PASSWORD, USERS, LEAD = "correct horse battery", 3, 3
TAKEN_UP, SHORT, TOKENS = timedelta(seconds=1), 20, 101


pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
def life() -> int:
    """Seconds of an access token."""
    return 600


@pytest.fixture
def settings(settings: Mapping[str, str], life: int) -> Mapping[str, str]:
    """Processes look for keys each second, and every log-in's session stays."""
    quick = {"AUTHBUS_KEYS_RELOAD_SECONDS": "1", "AUTHBUS_SESSIONS_PER_USER": "1000"}
    return {**settings, **quick, "AUTHBUS_ACCESS_TOKEN_SECONDS": str(life)}


def email(user: int) -> str:
    return f"user{user}@example.com"


def kid_of(token: str) -> str:
    return take_apart(token).header["kid"]


def ids(rows: list[dict[str, Any]], state: str) -> set[str]:
    return {row["kid"] for row in rows if row["state"] == state}


async def listed(serving: Serving) -> list[dict[str, Any]]:
    status, out, err = await authbus(serving.settings, "keys", "list")
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


async def rotated(serving: Serving, *options: str) -> set[str]:
    """Rotate and wait until the new keys serve; returns their kids."""
    status, out, err = await authbus(
        serving.settings, "keys", "rotate", "--lead", str(LEAD), *options
    )
    assert (status, err) == (0, "")
    new = [row for row in map(json.loads, out.splitlines()) if row["retired_at"] is None]
    begins = datetime.fromisoformat(new[0]["not_before"])
    await asyncio.sleep((begins + TAKEN_UP - datetime.now(UTC)).total_seconds())
    return {row["kid"] for row in new}


def where(serving: Serving) -> dict[str, Any]:
    return {"namespace": serving.namespace, "trust": serving.trust}


@asynccontextmanager
async def a_verifier(serving: Serving) -> AsyncGenerator[Verifier]:
    async with Verifier(serving.servers, audience="web", **where(serving)) as verifier:
        yield verifier


def a_client(serving: Serving) -> AuthClient:
    return AuthClient(serving.servers, client_id="web", **where(serving))


@dataclass
class Load:
    """Logs in, verifies and refreshes without a pause; the first failure ends it."""

    auth: AuthClient
    verifier: Verifier
    taken: list[str] = field(default_factory=list[str])

    async def run(self, user: int) -> None:
        while True:
            session = self._taken(await self.auth.log_in(email(user), PASSWORD))
            self._taken(await self.auth.refresh(session))

    def _taken(self, session: Session) -> Session:
        """Whoever asked and whoever is asked next take the token at once."""
        assert self.auth.verify(session.access_token) == self.verifier.verify(session.access_token)
        self.taken.append(session.access_token)
        return session


@asynccontextmanager
async def loaded(load: Load) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(load.run(user)) for user in range(USERS)]
    try:
        yield
        assert [task.exception() for task in tasks if task.done()] == []
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_no_log_in_fails_while_keys_are_rotated_under_load(
    serving: Serving, tmp_path: Path
) -> None:
    log = tmp_path / "second.log"
    async with (
        processes.serving(serving.settings, log) as second,
        a_client(serving) as auth,
        a_verifier(serving) as verifier,
    ):
        for user in range(USERS):
            await auth.register(email(user), PASSWORD)
        load = Load(auth, verifier)
        first = ids(await listed(serving), "serves")
        async with loaded(load):
            middle = await rotated(serving)
            last = await rotated(serving)
            rows, shown = await listed(serving), await asyncio.to_thread(jwks, second.told["http"])
            while len(load.taken) < TOKENS:  # noqa: ASYNC110 - however slow the machine is
                await asyncio.sleep(0.05)
        claims = [verifier.verify(token) for token in load.taken]
        async with a_verifier(serving) as new:
            assert [new.verify(token) for token in load.taken] == claims

    signed_by = {kid_of(token) for token in load.taken}
    logs = log.read_text() + (tmp_path / "service.log").read_text()
    assert signed_by == {row["kid"] for row in rows if row["use"] == "sig"}
    assert ids(rows, "serves") == last
    assert ids(rows, "retired") == first | middle
    assert shown == first | middle | last
    assert "dead letter" not in logs


@pytest.mark.parametrize("life", [SHORT])
async def test_a_token_of_a_retired_key_is_taken_until_it_expires(serving: Serving) -> None:
    async with a_client(serving) as auth, a_verifier(serving) as verifier:
        await auth.register(email(0), PASSWORD)
        session = await auth.log_in(email(0), PASSWORD)
        await rotated(serving, "--use", "sig")
        (row,) = [row for row in await listed(serving) if row["state"] == "retired"]

        claims = verifier.verify(session.access_token)
        after = datetime.now(UTC)
        await asyncio.sleep((claims.expires_at + LEEWAY - after).total_seconds())
        with pytest.raises(TokenExpired):
            verifier.verify(session.access_token)

    assert kid_of(session.access_token) == row["kid"]
    assert datetime.fromisoformat(row["retired_at"]) < after < claims.expires_at


async def test_a_key_that_nothing_needs_any_more_is_destroyed_everywhere(serving: Serving) -> None:
    async with a_client(serving) as auth, a_verifier(serving) as verifier:
        await auth.register(email(0), PASSWORD)
        session = await auth.log_in(email(0), PASSWORD)
        await rotated(serving)
        gone = ids(await listed(serving), "retired")
        await long_ago(serving.database)

        ends = [await authbus(serving.settings, "keys", "retire", kid) for kid in gone]

        await without(serving.http, gone)
        verifier.verify((await auth.refresh(session)).access_token)
        verifier.verify((await auth.log_in(email(0), PASSWORD)).access_token)
        with pytest.raises(TokenInvalid, match="key"):
            verifier.verify(session.access_token)

    assert [status for status, _, _ in ends] == [0, 0]
    assert {json.loads(out)["destroyed"] for _, out, _ in ends} == gone
    assert ids(await listed(serving), "retired") == set()


async def test_what_cannot_be_done_is_one_line_and_changes_nothing(serving: Serving) -> None:
    before = await listed(serving)
    signing = next(row["kid"] for row in before if row["use"] == "sig")

    short = await authbus(serving.settings, "keys", "rotate", "--lead", "1")
    serves = await authbus(serving.settings, "keys", "retire", signing)
    same = await listed(serving)
    ahead = await authbus(serving.settings, "keys", "rotate", "--use", "sig")
    again = await authbus(serving.settings, "keys", "rotate")
    early = await authbus(serving.settings, "keys", "retire", signing)

    assert (before, ahead[0]) == (same, 0)
    for (status, out, err), says in (
        (short, "Give a --lead of at least 2"),
        (serves, "has not been replaced. First: authbus keys rotate"),
        (again, "Rotate again after that"),
        (early, "It can go from"),
    ):
        assert (status, out) == (1, "")
        assert says in err
        assert len(err.splitlines()) == 1
    rows = await listed(serving)
    assert [row["state"] for row in rows] == ["serves", "serves", "next"]
