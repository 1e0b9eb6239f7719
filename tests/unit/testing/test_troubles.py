"""What goes wrong for users of a real service can be made to go wrong here."""

import asyncio
from contextlib import aclosing

import pytest

from authbus import (
    AuthRejected,
    AuthTimeout,
    AuthUnavailable,
    Code,
    LogIn,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
)
from authbus.stream import Told
from authbus.testing import FakeAuthbus

EMAIL, PASSWORD = "ana@example.com", "correct horse battery"


@pytest.fixture
def bus() -> FakeAuthbus:
    return FakeAuthbus()


async def test_an_answer_that_is_lost_is_had_again_by_its_command_id(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        bus.lose_answers()
        with pytest.raises(AuthTimeout) as lost:
            await auth.register(EMAIL, PASSWORD)
        told = len(bus.events)
        user = await auth.register(EMAIL, PASSWORD, command_id=lost.value.command_id)

    assert told == len(bus.events) == 1
    assert user.user_id == bus.events[0].user_id


async def test_a_lost_answer_is_to_be_had_for_ten_minutes(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        bus.lose_answers()
        with pytest.raises(AuthTimeout) as lost:
            await auth.register(EMAIL, PASSWORD)
        bus.forward(minutes=10)
        user = await auth.register(EMAIL, PASSWORD, command_id=lost.value.command_id)
        bus.forward(seconds=1)
        with pytest.raises(AuthRejected) as refused:
            await auth.register(EMAIL, PASSWORD, command_id=lost.value.command_id)

    assert user.user_id == bus.events[0].user_id
    assert refused.value.code == Code.STALE_ID


async def test_a_service_that_is_busy_or_away_does_nothing(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        bus.be_busy()
        bus.be_away()
        with pytest.raises(AuthRejected) as refused:
            await auth.register(EMAIL, PASSWORD)
        with pytest.raises(AuthUnavailable) as away:
            await auth.register(EMAIL, PASSWORD)
        done = bus.events
        await auth.register(EMAIL, PASSWORD)

    assert (refused.value.code, refused.value.retryable) == (Code.BUSY, True)
    assert (refused.value.http_status, away.value.http_status) == (503, 503)
    assert done == ()


@pytest.mark.parametrize("secret", ["\U0001f600" * 4096, "half a pair: \ud83d"])
async def test_what_no_record_can_hold_is_refused_as_the_real_client_refuses_it(
    bus: FakeAuthbus, secret: str
) -> None:
    async with bus.client("web") as auth:
        with pytest.raises(AuthRejected) as refused:
            await auth.passwords.change(secret, secret, secret)

    assert refused.value.code is Code.INVALID


async def test_any_command_may_be_sent_as_it_is(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        await auth.register(EMAIL, PASSWORD)
        asked = LogIn.model_validate({"email": EMAIL, "password": PASSWORD})
        reply = await auth.send(asked, key="any")

    assert type(reply).__name__ == "LoggedIn"


async def test_a_module_is_waited_for_until_it_has_heard_everything(bus: FakeAuthbus) -> None:
    heard: list[str] = []

    async def module() -> None:
        async for event in bus.stream("billing"):
            await asyncio.sleep(0)
            heard.append(event.type)

    running = asyncio.create_task(module())
    async with bus.client("web") as auth:
        await auth.register(EMAIL, PASSWORD)
        await bus.heard("billing")
        first = list(heard)
        await auth.log_in(EMAIL, PASSWORD)
        await bus.heard("billing")
    running.cancel()

    assert first == ["authbus.UserCreated.v1"]
    assert heard == [*first, "authbus.SessionStarted.v1"]


async def test_an_event_whose_body_raised_comes_again(bus: FakeAuthbus) -> None:
    heard: list[int] = []
    async with bus.client("web") as auth:
        await auth.register(EMAIL, PASSWORD)
        await auth.log_in(EMAIL, PASSWORD)

    async def fail_at_the_second() -> None:
        async for event in bus.stream("billing"):
            heard.append(event.sequence)
            if event.sequence == 2:
                raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            await fail_at_the_second()

    assert heard == [1, 2, 2]


async def test_a_second_member_takes_over_from_the_first(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        await auth.register(EMAIL, PASSWORD)
        await auth.log_in(EMAIL, PASSWORD)
    async with bus.stream("billing") as first:
        events = aiter(first)
        one = await anext(events)
        standby = asyncio.ensure_future(anext(aiter(bus.stream("billing"))))
        two = await anext(events)
        waits = not standby.done()
    async with asyncio.timeout(1):
        again = await standby

    assert waits
    assert (one.sequence, two.sequence, again.sequence) == (1, 2, 2)


async def test_users_are_told_once_to_a_group_that_came_beyond_them(bus: FakeAuthbus) -> None:
    async with bus.client("web") as auth:
        await auth.register(EMAIL, PASSWORD)
        unfinished = await told(bus, SnapshotBegins)
        at_their_end = await told(bus, SnapshotEnds)
        beyond = asyncio.create_task(told(bus, StreamEvent))
        await bus.heard("view")
        await auth.log_in(EMAIL, PASSWORD)
        heard = await beyond
        after = await told(bus, StreamEvent)

    assert unfinished == [SnapshotBegins(fresh=True)]
    assert at_their_end[0] == SnapshotBegins(fresh=True)
    assert heard[0] == SnapshotBegins(fresh=False)
    assert [type(each).__name__ for each in after] == ["StreamEvent"]


async def test_a_module_is_waited_for_until_it_was_told_all_users(bus: FakeAuthbus) -> None:
    heard: list[Told] = []

    async def module() -> None:
        async for each in bus.stream("view").bootstrap():
            await asyncio.sleep(0)
            heard.append(each)

    async with bus.client("web") as auth:
        await auth.register(EMAIL, PASSWORD)
        running = asyncio.create_task(module())
        await bus.heard("view")
        running.cancel()

    assert isinstance(heard[-1], SnapshotEnds)


async def test_who_was_told_of_while_users_were_told_comes_once(bus: FakeAuthbus) -> None:
    heard: list[Told] = []
    async with bus.client("web") as auth, aclosing(bus.stream("view").bootstrap()) as telling:
        async for each in telling:
            heard.append(each)
            if isinstance(each, SnapshotBegins):
                await auth.register(EMAIL, PASSWORD)
            if isinstance(each, SnapshotEnds):
                await auth.log_in(EMAIL, PASSWORD)
            if isinstance(each, StreamEvent):
                break

    assert [type(each).__name__ for each in heard[1:]] == [
        "UserState",
        "SnapshotEnds",
        "StreamEvent",
    ]
    assert isinstance(heard[-1], StreamEvent)
    assert heard[-1].sequence == 2


async def told(bus: FakeAuthbus, until: type) -> list[Told]:
    """What a loop is told up to something of a kind."""
    heard: list[Told] = []
    async for each in bus.stream("view").bootstrap():
        heard.append(each)
        if isinstance(each, until):
            break
    return heard


async def test_audiences_and_roles_are_as_declared() -> None:
    bus = FakeAuthbus(audiences={"web": ["shop", "billing"]})
    async with bus.client("web", audience="shop") as auth, bus.verifier("billing") as verifier:
        user = await auth.register(EMAIL, PASSWORD)
        session = await auth.log_in(EMAIL, PASSWORD)
        claims = verifier.verify(session.access_token)
        with pytest.raises(LookupError, match="king"):
            bus.grant(user.user_id, "king")
    with pytest.raises(LookupError, match="reset_password"):
        bus.code(EMAIL, "reset_password")

    assert claims.audience == ("shop", "billing")
