"""All that the fake knows, and the log of what it has said."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from authbus.events import (
    EmailChanged,
    EmailVerified,
    EndReason,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    SessionEnded,
    UserCreated,
    UserDeactivated,
    UserErased,
    UserReactivated,
)
from authbus.message import Event, Reply
from authbus.replies import Code
from authbus.state import UserState
from authbus.stream.events import StreamEvent
from authbus.testing.minting import Ended, Mint
from authbus.testing.rows import Account, Guess, Held, Mail, OneTimeCode, derived_id
from authbus.testing.settings import Settings
from authbus.topics import EVENTS

_PUBLIC = (
    EmailChanged,
    EmailVerified,
    ProfileUpdated,
    RoleGranted,
    RoleRevoked,
    UserCreated,
    UserDeactivated,
    UserReactivated,
)
_CODES_KEPT, _SESSIONS_KEPT = timedelta(days=7), timedelta(days=30)


class Refusal(Exception):
    """A command is refused; what was said before it stays said."""

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True, slots=True)
class Ask:
    """Which command is asked, by which client."""

    id: UUID
    client_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """An event, and the state that it made."""

    event: StreamEvent
    state: UserState | None


@dataclass(slots=True)
class Memory:
    """`answers` are those given, by command id, with what was asked, and when."""

    now: datetime
    settings: Settings
    roles: Mapping[str, frozenset[str]]
    audiences: Mapping[str, tuple[str, ...]]
    mint: Mint = field(default_factory=Mint)
    ended: Ended = field(default_factory=Ended)
    users: dict[UUID, Account] = field(default_factory=dict[UUID, Account])
    addresses: dict[str, UUID] = field(default_factory=dict[str, UUID])
    sessions: dict[UUID, Held] = field(default_factory=dict[UUID, Held])
    codes: dict[str, OneTimeCode] = field(default_factory=dict[str, OneTimeCode])
    mails: list[Mail] = field(default_factory=list[Mail])
    wrong: list[Guess] = field(default_factory=list[Guess])
    ids: int = 0
    log: list[Said] = field(default_factory=list[Said])
    answers: dict[UUID, tuple[object, Reply, datetime]] = field(
        default_factory=dict[UUID, tuple[object, Reply, datetime]]
    )
    _changed: list[asyncio.Event] = field(default_factory=list[asyncio.Event])

    def tell(
        self, user: Account, kind: type[Event], cause: UUID, /, *, actor: str = "", **more: object
    ) -> None:
        """Say that something has happened to a user, who is already as it made them."""
        user.sequence += 1
        told = {
            "user_id": user.id,
            "sequence": user.sequence,
            "actor": actor or f"user:{user.id}",
            "causation_id": cause,
        }
        offset = len(self.log)
        event = StreamEvent(
            id=derived_id(f"event {user.id} {user.sequence}", cause),
            type=kind.wire_type(),
            time=self.now,
            data=kind.model_validate({**told, **more}),
            topic=EVENTS.name(),
            partition=0,
            offset=offset,
        )
        self.log.append(Said(event, user.state if kind in _PUBLIC else None))
        self.wake()

    def end(self, session: Held, cause: UUID, reason: EndReason, *, actor: str = "") -> None:
        """A session ends, and every verifier knows."""
        session.ended_at, session.end_reason = self.now, reason
        self.ended.note(session.id)
        user = self.users[session.user_id]
        self.tell(user, SessionEnded, cause, actor=actor, session_id=session.id, reason=reason)

    def end_all(
        self,
        user: Account,
        cause: UUID,
        reason: EndReason,
        *,
        but: UUID | None = None,
        actor: str = "",
    ) -> int:
        """All live sessions of a user end, but this one; returns how many."""
        ending = [each for each in self.live(user) if each.id != but]
        for each in ending:
            self.end(each, cause, reason, actor=actor)
        return len(ending)

    def live(self, user: Account) -> list[Held]:
        """The user's sessions that go on, oldest first."""
        mine = (each for each in self.sessions.values() if each.user_id == user.id)
        return [each for each in mine if each.is_live(self.now)]

    def erase(self, user: Account, cause: UUID, *, actor: str = "") -> int:
        """A user is gone; returns how many sessions ended."""
        ended = self.end_all(user, cause, EndReason.ERASED, actor=actor)
        self.tell(user, UserErased, cause, actor=actor)
        del self.users[user.id]
        self.addresses = {at: who for at, who in self.addresses.items() if who != user.id}
        self.sessions = {at: each for at, each in self.sessions.items() if each.user_id != user.id}
        self.codes = {at: each for at, each in self.codes.items() if each.user_id != user.id}
        self.wrong = [each for each in self.wrong if each.about != user.id]
        self.mails = [each for each in self.mails if each.user_id != user.id]
        return ended

    def forward(self, by: timedelta) -> None:
        """Time passes, and with it sessions, each at its time."""
        until = self.now + by
        self.sweep(until)
        self.now = until
        self.forget()

    def sweep(self, until: datetime) -> None:
        """Sessions that are over by then end, the first to be over first."""
        over = [
            (max(self.now, each.lapses_at), each.id)
            for each in self.sessions.values()
            if each.ended_at is None and not each.is_live(until)
        ]
        for at, id_ in sorted(over):
            self.now, each = at, self.sessions[id_]
            at_its_end = each.lapses_at >= each.expires_at
            reason = EndReason.EXPIRED if at_its_end else EndReason.IDLE
            self.end(each, derived_id("lapse", each.id), reason, actor="service")

    def forget(self) -> None:
        """What was over long ago is deleted, as the service does."""
        before = self.now - _CODES_KEPT
        self.codes = {at: each for at, each in self.codes.items() if each.expires_at >= before}
        before = self.now - _SESSIONS_KEPT
        self.sessions = {
            at: each
            for at, each in self.sessions.items()
            if each.ended_at is None or each.ended_at >= before
        }

    def permissions(self, user: Account) -> frozenset[str]:
        """What the user's roles permit."""
        return frozenset[str]().union(*(self.roles.get(each, ()) for each in user.roles))

    def wake(self) -> None:
        """Let everybody look who waits."""
        waiting, self._changed = self._changed, []
        for each in waiting:
            each.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to become true."""
        while not true():
            event = asyncio.Event()
            self._changed.append(event)
            await event.wait()
