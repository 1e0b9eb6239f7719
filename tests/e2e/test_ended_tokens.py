"""How long a token is taken after its session's end, measured on all the real parts."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from authbus import AuthClient, AuthRejected, Verifier
from authbus.client.results import Session
from authbus.errors import FeedStale, TokenInvalid, TokenRevoked
from tests.e2e.conftest import Serving

EMAIL, OTHERS, PASSWORD = "ana@example.com", "others@example.com", "correct horse battery"
SECOND = timedelta(seconds=1)
ENDS = 24
IMPATIENT = 2.0

End = Callable[[AuthClient, Session], Coroutine[None, None, None]]


async def logged_out(auth: AuthClient, session: Session) -> None:
    await auth.log_out(session)


async def revoked(auth: AuthClient, session: Session) -> None:
    await auth.sessions.end(session.access_token, session.session_id)


async def stolen(auth: AuthClient, session: Session) -> None:
    """A token of two refreshes ago comes again."""
    await auth.refresh(await auth.refresh(session))
    with pytest.raises(AuthRejected):
        await auth.refresh(session)


ALL_ENDS: tuple[End, ...] = (logged_out, revoked, stolen)


@asynccontextmanager
async def a_verifier(serving: Serving, **rules: Any) -> AsyncGenerator[Verifier]:
    async with Verifier(
        serving.servers,
        audience="web",
        namespace=serving.namespace,
        trust=serving.trust,
        **rules,
    ) as verifier:
        yield verifier


def a_client(serving: Serving) -> AuthClient:
    return AuthClient(
        serving.servers, client_id="web", namespace=serving.namespace, trust=serving.trust
    )


async def until_raised(verifier: Verifier, token: str, kind: type[TokenInvalid]) -> datetime:
    """The time at which it is refused for this reason."""
    async with asyncio.timeout(20):
        while True:
            try:
                verifier.verify(token)
            except kind:
                return datetime.now(UTC)
            await asyncio.sleep(0.002)


async def test_a_token_is_refused_within_a_second_of_its_sessions_end(serving: Serving) -> None:
    refused_at: dict[object, datetime] = {}
    async with a_client(serving) as auth, a_verifier(serving) as verifier:
        await auth.register(EMAIL, PASSWORD)
        await auth.register(OTHERS, PASSWORD)
        sessions = [await auth.log_in(EMAIL, PASSWORD) for _ in range(ENDS)]
        others = [asyncio.create_task(come_and_go(auth)) for _ in range(4)]
        for number, session in enumerate(sessions):
            assert verifier.verify(session.access_token).session_id == session.session_id
            ending = asyncio.create_task(ALL_ENDS[number % len(ALL_ENDS)](auth, session))
            refused_at[session.session_id] = await until_raised(
                verifier, session.access_token, TokenRevoked
            )
            await ending
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async with serving.database.reading() as db:
        found = await db.execute(
            text("SELECT id, ended_at FROM sessions WHERE ended_at IS NOT NULL")
        )
        ended_at = {row.id: row.ended_at for row in found}
    took = [at - ended_at[id_] for id_, at in refused_at.items()]
    assert len(took) == ENDS
    assert max(took) < SECOND


async def come_and_go(auth: AuthClient) -> None:
    """Others log in and out meanwhile."""
    while True:
        session = await auth.log_in(OTHERS, PASSWORD)
        await auth.log_out(await auth.refresh(session))


async def test_a_verifier_that_cannot_know_says_so_and_takes_tokens_again_when_it_can(
    serving: Serving,
) -> None:
    async with (
        a_client(serving) as auth,
        a_verifier(serving, max_staleness=IMPATIENT) as strict,
        a_verifier(serving, max_staleness=IMPATIENT, on_stale="accept") as lenient,
    ):
        await auth.register(EMAIL, PASSWORD)
        session = await auth.log_in(EMAIL, PASSWORD)
        strict.verify(session.access_token)
        fresh = strict.staleness
        os.kill(serving.pid, signal.SIGSTOP)
        try:
            began = datetime.now(UTC)
            refused_at = await until_raised(strict, session.access_token, FeedStale)
            stale = lenient.staleness
            taken = lenient.verify(session.access_token)
        finally:
            os.kill(serving.pid, signal.SIGCONT)
        async with asyncio.timeout(20):
            patience = timedelta(seconds=IMPATIENT)
            while strict.staleness > patience:  # noqa: ASYNC110 - a record wakes nobody
                await asyncio.sleep(0.02)
        again = strict.verify(session.access_token)

    assert fresh < timedelta(seconds=IMPATIENT) <= stale
    assert refused_at - began < timedelta(seconds=IMPATIENT) + SECOND
    assert taken.session_id == again.session_id == session.session_id
