"""A producer, a module downstream and a test of theirs, as somebody outside would write them."""

from typing import assert_type
from uuid import UUID

from authbus import (
    AuthClient,
    AuthRejected,
    Claims,
    Code,
    EndReason,
    EventStream,
    Session,
    SessionEnded,
    StreamEvent,
    User,
    UserCreated,
    UserState,
    Verifier,
)
from authbus.replies import SessionEntry
from authbus.testing import FakeAuthbus


async def log_in(auth: AuthClient, email: str, password: str) -> Session | None:
    try:
        return await auth.log_in(email, password, device="a phone")
    except AuthRejected as refused:
        assert_type(refused.code, Code)
        if refused.retry_after is not None:
            assert_type(refused.retry_after, int)
        return None


async def produce() -> None:
    async with AuthClient("localhost:9092", client_id="web") as auth:
        assert_type(auth, AuthClient)
        assert_type(await auth.register(email="a@b.co", password="secret"), User)
        session = await auth.log_in("a@b.co", "secret")
        assert_type(session, Session)
        assert_type(auth.verify(session.access_token), Claims)
        assert_type(await auth.sessions.list(session.access_token), tuple[SessionEntry, ...])
        assert_type(await auth.profile.update(session.access_token, 1, locale="de"), int)


async def listen() -> None:
    async for event in EventStream("localhost:9092", group="billing"):
        assert_type(event, StreamEvent)
        match event.data:
            case UserCreated(user_id=user_id):
                assert_type(user_id, UUID)
            case SessionEnded(reason=reason):
                assert_type(reason, EndReason)
            case _:
                pass
    async for told in EventStream("localhost:9092", group="book").bootstrap():
        if isinstance(told, UserState):
            assert_type(told.email, str | None)


async def their_test() -> None:
    bus = FakeAuthbus(roles={"clerk": ["orders:write"]})
    async with bus.client("web") as auth, bus.verifier("web") as verifier:
        assert_type(auth, AuthClient)
        assert_type(verifier, Verifier)
        session = await log_in(auth, "a@b.co", "secret")
        assert session is None
        assert_type(bus.events, tuple[StreamEvent, ...])
        assert_type(bus.stream("billing"), EventStream)
