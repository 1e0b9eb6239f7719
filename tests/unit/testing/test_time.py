"""Time in the fake passes when a test says so, and then all happens that time brings."""

from datetime import UTC, datetime, timedelta

import pytest

from authbus import AuthClient, AuthRejected, FeedStale, Session, TokenExpired, TokenRevoked
from authbus.testing import FakeAuthbus, Settings

EMAIL, PASSWORD, NEW = "ana@example.com", "correct horse battery", "another horse battery"


@pytest.fixture
def bus() -> FakeAuthbus:
    return FakeAuthbus()


async def born(auth: AuthClient) -> Session:
    await auth.register(EMAIL, PASSWORD)
    return await auth.log_in(EMAIL, PASSWORD)


def reasons(bus: FakeAuthbus) -> list[str]:
    """What ended, and why."""
    found = [getattr(each.data, "reason", None) for each in bus.events]
    return [str(reason) for reason in found if reason]


async def test_a_token_expires_and_a_refresh_brings_another(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        session = await born(auth)
        bus.forward(minutes=9, seconds=59)
        auth.verify(session.access_token)
        bus.forward(seconds=6)
        with pytest.raises(TokenExpired):
            auth.verify(session.access_token)
        with pytest.raises(AuthRejected, match="invalid_token"):
            await auth.profile.get(session.access_token)

        session = await auth.refresh(session)

        assert auth.verify(session.access_token).issued_at == bus.now.replace(microsecond=0)


async def test_sessions_end_when_they_are_not_refreshed_and_on_their_last_day(
    bus: FakeAuthbus,
) -> None:
    async with bus.client("web") as auth:
        session = await born(auth)
        for _ in range(4):
            bus.forward(days=6)
            session = await auth.refresh(session)
        await auth.log_in(EMAIL, PASSWORD)
        bus.forward(days=5)
        await auth.refresh(session)
        bus.forward(days=1)
        with pytest.raises(AuthRejected, match="invalid_token"):
            await auth.refresh(session)
        bus.forward(days=1)

    assert reasons(bus) == ["expired", "idle"]
    assert bus.events[-1].data.actor == "service"


async def test_a_refresh_token_that_comes_again_late_ends_its_session(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth, bus.verifier("web") as verifier:
        first = await born(auth)
        second = await auth.refresh(first)
        bus.forward(seconds=9)
        with pytest.raises(AuthRejected, match="token_rotated"):
            await auth.refresh(first)
        bus.forward(seconds=2)
        with pytest.raises(AuthRejected, match="invalid_token"):
            await auth.refresh(first)
        with pytest.raises(TokenRevoked):
            verifier.verify(second.access_token)

    assert reasons(bus) == ["token_reuse"]


async def test_guesses_must_wait_ever_longer_and_then_lock_for_a_while(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        await born(auth)
        for failures in range(10):
            with pytest.raises(AuthRejected, match="invalid_credentials"):
                await auth.log_in(EMAIL, "wrong password")
            if failures == 4:
                with pytest.raises(AuthRejected, match="invalid_credentials"):
                    await auth.log_in(EMAIL, PASSWORD)
            bus.forward(seconds=2 ** max(0, failures - 4) if failures >= 4 else 0)
        locked = bus.events[-1]
        with pytest.raises(AuthRejected, match="invalid_credentials"):
            await auth.log_in(EMAIL, PASSWORD)
        bus.forward(minutes=15)
        await auth.log_in(EMAIL, PASSWORD)

    assert locked.type == "authbus.UserLocked.v1"
    assert reasons(bus) == ["expired"]


async def test_codes_run_out_and_mails_are_a_minute_apart(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        session = await born(auth)
        with pytest.raises(AuthRejected, match="too_soon"):
            await auth.email.resend_verification(session.access_token)
        bus.forward(minutes=1)
        await auth.email.resend_verification(session.access_token)
        await auth.passwords.request_reset(EMAIL)
        await auth.passwords.request_reset(EMAIL)
        code = bus.code(EMAIL, "reset_password")
        bus.forward(hours=1)
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.passwords.reset(code, NEW)
        await auth.email.verify(bus.code(EMAIL, "verify_email"))

    mails = [each.template for each in bus.mails]
    assert mails == ["verify_email", "verify_email", "reset_password"]


async def test_settings_are_those_of_the_service(bus: FakeAuthbus) -> None:
    bus = FakeAuthbus(settings=Settings(access_token_seconds=30, session_days=1))
    async with bus.client("web") as auth:
        session = await born(auth)

    assert session.access_token_expires_at - bus.now == timedelta(seconds=30)
    assert session.session_expires_at - bus.now == timedelta(days=1)


async def test_a_feed_that_is_behind_is_told_and_tokens_are_refused(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth, bus.verifier("web", on_stale="accept") as lenient:
        session = await born(auth)
        bus.feed_behind(6)
        with pytest.raises(FeedStale):
            auth.verify(session.access_token)
        assert lenient.staleness == timedelta(seconds=6)
        lenient.verify(session.access_token)
        bus.feed_behind(0)
        auth.verify(session.access_token)


async def test_the_feed_of_a_verifier_that_is_not_open_is_very_far_behind(
    bus: FakeAuthbus,
) -> None:
    verifier = bus.verifier("web")
    before = verifier.staleness
    async with verifier:
        followed = verifier.staleness
    after = verifier.staleness
    async with verifier:
        again = verifier.staleness

    assert followed == again == timedelta()
    assert min(before, after) > timedelta(days=365)


async def test_time_never_goes_back(bus: FakeAuthbus) -> None:
    with pytest.raises(ValueError, match="time"):
        bus.forward(seconds=-1)


async def test_two_runs_that_begin_at_one_time_are_the_same() -> None:
    async def run() -> tuple[object, ...]:
        bus = FakeAuthbus(at=datetime(2026, 3, 1, tzinfo=UTC))
        async with bus.client("web") as auth:
            session = await auth.refresh(await born(auth))
            bus.forward(days=40)
            return session, bus.events, bus.mails

    assert await run() == await run()
