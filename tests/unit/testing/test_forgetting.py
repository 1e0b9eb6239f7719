"""What the service deletes some time after its end is gone from the fake too."""

from datetime import timedelta

import pytest

from authbus import AuthClient, AuthRejected, Session
from authbus.replies import SessionEntry
from authbus.testing import FakeAuthbus

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"


@pytest.fixture
def bus() -> FakeAuthbus:
    return FakeAuthbus()


async def born(bus: FakeAuthbus, auth: AuthClient) -> Session:
    """The first session of a user who may look at accounts."""
    user = await auth.register(EMAIL, PASSWORD)
    bus.grant(user.user_id, "admin")
    return await auth.log_in(EMAIL, PASSWORD)


async def over(auth: AuthClient) -> dict[str, SessionEntry]:
    """The user's sessions that are over, by why they ended."""
    now = await auth.log_in(EMAIL, PASSWORD)
    found = await auth.admin.get(now.access_token, now.user_id, ended_sessions=True)
    await auth.log_out(now)
    return {str(each.end_reason): each for each in found.sessions if each.ended_at is not None}


async def test_a_session_is_forgotten_thirty_days_after_its_end(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        first = await born(bus, auth)
        await auth.log_out(first)
        bus.forward(days=30)
        await auth.log_out(first)
        kept = await over(auth)
        bus.forward(seconds=1)
        with pytest.raises(AuthRejected, match="invalid_token"):
            await auth.log_out(first)
        current = await auth.log_in(EMAIL, PASSWORD)
        with pytest.raises(AuthRejected, match="session_unknown"):
            await auth.sessions.end(current.access_token, first.session_id)
        held = (await auth.account.export(current.access_token)).tables["sessions"]

    assert "logout" in kept
    assert str(first.session_id) not in {each["id"] for each in held}
    assert len(held) == 2
    assert bus.events[-1].sequence == len(bus.events)


async def test_a_session_that_is_not_refreshed_ends_at_its_time_however_far_time_is_moved(
    bus: FakeAuthbus,
) -> None:
    async with bus.client("web") as auth:
        first = await born(bus, auth)
        began = bus.now
        bus.forward(days=31)
        kept = await over(auth)
        bus.forward(days=7)
        gone = await over(auth)

    (ended,) = [each for each in bus.events if getattr(each.data, "reason", "") == "idle"]
    assert kept["idle"].session_id == first.session_id
    assert kept["idle"].ended_at == ended.time == began + timedelta(days=7)
    assert "idle" not in gone


async def test_sessions_that_are_over_end_in_the_order_of_their_ends(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        first = await born(bus, auth)
        bus.forward(days=1)
        second = await auth.log_in(EMAIL, PASSWORD)
        bus.forward(days=1)
        await auth.refresh(first)
        bus.forward(days=40)

    ended = [each for each in bus.events if getattr(each.data, "reason", "") == "idle"]
    assert [getattr(each.data, "session_id", None) for each in ended] == [
        second.session_id,
        first.session_id,
    ]
    assert bus.now > ended[-1].time > ended[0].time


async def test_a_code_is_forgotten_seven_days_after_it_ran_out(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        await born(bus, auth)
        code = bus.code(EMAIL, "verify_email")
        await auth.email.verify(code)
        bus.forward(days=8)
        await auth.email.verify(code)
        bus.forward(seconds=1)
        with pytest.raises(AuthRejected, match="code_invalid"):
            await auth.email.verify(code)
        current = await auth.log_in(EMAIL, PASSWORD)
        held = (await auth.account.export(current.access_token)).tables["codes"]

    assert held == []
