"""A place where promises are kept: a real service, or the fake that users test with."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from authbus import AuthClient, EventStream, StreamEvent, Verifier, totp
from authbus.testing import FakeAuthbus, Settings
from authbus.uuid7 import uuid7
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.operator import operator_token
from tests.rig.post import Post, parts

PASSWORD = "correct horse battery"
# Those of the fake; the real service has the same from its environment.
SETTINGS = Settings(
    guess_wait_seconds=0, guesses_until_lock=4, guesses_per_source=4, sessions_per_user=4
)
ROLES = {
    "clerk": ["orders:write"],
    "helper": ["users:write", "users:read"],
    "keeper": ["services:write"],
}
PAGES = {
    "verify_email": "verify-email",
    "change_email": "change-email",
    "reset_password": "reset-password",
    "force_reset": "reset-password",
}


class Place(Protocol):
    """What promises need. `root` is an administrator's token."""

    auth: AuthClient
    verifier: Verifier
    root: str

    def client(self) -> AuthClient:
        """Another client, which is not open."""
        ...

    def another_verifier(self) -> Verifier:
        """One that is not open."""
        ...

    def stream(self, group: str, *, since: datetime | None = None) -> EventStream:
        """A member of a group of this name."""
        ...

    async def code(self, address: str, template: str) -> str:
        """The code that was mailed."""
        ...

    def app_code(self, secret: str, *, ahead: int = 0) -> str:
        """What a user's app shows, or will show in so many steps."""
        ...

    async def grant(self, user_id: UUID, role: str) -> None:
        """An operator gives a role."""
        ...

    async def heard(self, user_id: UUID, count: int) -> list[StreamEvent]:
        """The first events of a user."""
        ...


@dataclass
class Fake:
    """In memory."""

    bus: FakeAuthbus
    auth: AuthClient
    verifier: Verifier
    root: str = ""

    def client(self) -> AuthClient:
        return self.bus.client("web")

    def another_verifier(self) -> Verifier:
        return self.bus.verifier("web")

    def stream(self, group: str, *, since: datetime | None = None) -> EventStream:
        return self.bus.stream(group, since=since)

    async def code(self, address: str, template: str) -> str:
        return self.bus.code(address, template)

    def app_code(self, secret: str, *, ahead: int = 0) -> str:
        return self.bus.app_code(secret, ahead=ahead)

    async def grant(self, user_id: UUID, role: str) -> None:
        self.bus.grant(user_id, role)

    async def heard(self, user_id: UUID, count: int) -> list[StreamEvent]:
        found = [each for each in self.bus.events if each.user_id == user_id]
        assert len(found) >= count
        return found[:count]


@asynccontextmanager
async def a_fake() -> AsyncGenerator[Place]:
    """One of a test's own."""
    bus = FakeAuthbus(roles=ROLES, settings=SETTINGS)
    async with bus.client("web") as auth, bus.verifier("web") as verifier:
        place = Fake(bus, auth, verifier)
        place.root = await _an_administrator(place)
        yield place


@dataclass
class Real:
    """A service in a process of its own, whose mails go to `post`."""

    servers: str
    namespace: str
    trust: str
    masters: Masters
    post: Post
    auth: AuthClient
    verifier: Verifier
    root: str = ""
    events: dict[UUID, list[StreamEvent]] = field(
        default_factory=lambda: defaultdict[UUID, list[StreamEvent]](list)
    )

    def client(self) -> AuthClient:
        return AuthClient(self.servers, client_id="web", namespace=self.namespace, trust=self.trust)

    def another_verifier(self) -> Verifier:
        return Verifier(self.servers, audience="web", namespace=self.namespace, trust=self.trust)

    def stream(self, group: str, *, since: datetime | None = None) -> EventStream:
        group = f"{self.namespace}-{group}"
        return EventStream(self.servers, group=group, since=since, namespace=self.namespace)

    async def code(self, address: str, template: str) -> str:
        link = re.compile(rf"/{PAGES[template]}\?code=(\S+)")
        async with asyncio.timeout(20):
            while True:
                for mail in reversed(self.post.taken):
                    found = link.search(parts(mail)[0])
                    if address in str(mail["To"]) and found:
                        return found[1]
                await asyncio.sleep(0.05)

    def app_code(self, secret: str, *, ahead: int = 0) -> str:
        step = totp.step_of(datetime.now(UTC)) + ahead
        return totp.code_at(totp.from_text(secret), step)

    async def grant(self, user_id: UUID, role: str) -> None:
        id_, issuer = uuid7(), f"authbus/{self.namespace}"
        proof = operator_token(self.masters, issuer=issuer, command_id=id_, at=datetime.now(UTC))
        await self.auth.admin.grant_role(proof, user_id, role, command_id=id_)

    async def heard(self, user_id: UUID, count: int) -> list[StreamEvent]:
        async with asyncio.timeout(20):
            while len(self.events[user_id]) < count:  # noqa: ASYNC110 - filled by another task
                await asyncio.sleep(0.02)
        return self.events[user_id][:count]

    async def listen(self) -> None:
        """Keep all events, by user."""
        async for event in self.stream(f"all-{uuid4().hex}"):
            self.events[event.user_id].append(event)


@dataclass(frozen=True)
class Where:
    """A service that runs."""

    servers: str
    namespace: str
    trust: str
    master: bytes


@asynccontextmanager
async def a_real_one(where: Where, post: Post) -> AsyncGenerator[Place]:
    """A client, a verifier and a listener of this service."""
    named: dict[str, Any] = {"namespace": where.namespace, "trust": where.trust}
    async with (
        AuthClient(where.servers, client_id="web", timeout=30, **named) as auth,
        Verifier(where.servers, audience="web", **named) as verifier,
    ):
        masters = Masters([where.master])
        place = Real(where.servers, where.namespace, where.trust, masters, post, auth, verifier)
        listening = asyncio.create_task(place.listen())
        try:
            place.root = await _an_administrator(place)
            yield place
        finally:
            listening.cancel()
            await asyncio.wait([listening])


async def _an_administrator(place: Place) -> str:
    email = an_address("root")
    user = await place.auth.register(email, PASSWORD)
    await place.grant(user.user_id, "admin")
    return (await place.auth.log_in(email, PASSWORD)).access_token


def an_address(name: str = "ana") -> str:
    """One that nobody has."""
    return f"{name}-{uuid4().hex[:12]}@example.com"


def kinds(events: list[StreamEvent]) -> list[str]:
    """What happened, in words: `SessionEnded logout`."""
    return [
        " ".join([type(each.data).__name__, *filter(None, [getattr(each.data, "reason", "")])])
        for each in events
    ]
