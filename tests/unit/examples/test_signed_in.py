"""How schemas/examples/web keeps a session through what goes wrong at a refresh and a log-out."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from authbus import AuthClient, AuthRejected, AuthTimeout, Code, Session
from web.signed_in import SignedIn

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LATER = NOW + timedelta(minutes=20)
ID = UUID("01990000-0000-7000-8000-000000000000")


def session(at: datetime) -> Session:
    return Session(
        user_id=uuid4(),
        session_id=uuid4(),
        access_token=f"issued at {at}",
        access_token_expires_at=at + timedelta(minutes=10),
        refresh_token="one",
        session_expires_at=NOW + timedelta(days=30),
    )


def refusal(code: Code) -> AuthRejected:
    return AuthRejected(code, "a detail", retryable=code.retryable, command_id=ID)


class Auth:
    """Stands for the client: what it is asked ends one after the other as a test says."""

    def __init__(self, *ends: Exception | Session) -> None:
        self.ends = list(ends)
        self.ids: list[UUID] = []

    async def refresh(self, _: Session, *, command_id: UUID) -> Session:
        self.ids.append(command_id)
        return self._end()

    async def log_out(self, _: Session) -> None:
        self._end()

    def verify(self, token: str) -> Any:
        return SimpleNamespace(issued_at=datetime.fromisoformat(token.removeprefix("issued at ")))

    def _end(self) -> Session:
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


async def kept(auth: Auth, *, at: list[datetime]) -> SignedIn:
    rows = SignedIn(cast("AuthClient", auth), lambda: at[0])
    rows.begin("cookie", session(NOW))
    return rows


async def test_who_comes_back_long_after_a_refresh_that_nobody_answered_is_still_signed_in() -> (
    None
):
    at = [LATER]
    auth = Auth(AuthTimeout(ID), refusal(Code.STALE_ID), session(LATER))
    rows = await kept(auth, at=at)
    with pytest.raises(AuthTimeout):
        await rows.claims("cookie")

    assert await rows.claims("cookie") is not None

    first, again, new = auth.ids
    assert first == again != new


@pytest.mark.parametrize("code", [Code.INVALID_TOKEN, Code.STALE_ID])
async def test_a_log_out_that_is_refused_for_good_leaves_nobody_signed_in(code: Code) -> None:
    rows = await kept(Auth(refusal(code)), at=[NOW])

    await rows.end("cookie")

    assert await rows.claims("cookie") is None


@pytest.mark.parametrize("error", [AuthTimeout(ID), refusal(Code.BUSY)], ids=repr)
async def test_a_log_out_that_nobody_answered_can_be_tried_again(error: Exception) -> None:
    rows = await kept(Auth(error), at=[NOW])

    with pytest.raises(type(error)):
        await rows.end("cookie")

    assert await rows.claims("cookie") is not None
