"""Many users' commands at once, and what must have come of each: one effect, one answer."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from authbus import (
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    Registered,
    RegisterUser,
    Reply,
    SessionEnded,
    SessionStarted,
    UserCreated,
)
from authbus.message import Event
from tests.rig.producing import Draft
from tests.rig.world import PASSWORD, World


@dataclass
class Crowd:
    """Sends commands and remembers them; `answers` are the first ones that came."""

    world: World
    drafts: list[Draft] = field(default_factory=list[Draft])
    sessions: list[LoggedIn] = field(default_factory=list[LoggedIn])

    def registers(self, users: Iterable[int]) -> list[Draft]:
        draft = self.world.web.draft
        return [
            draft(RegisterUser(email=email(each), password=PASSWORD), key=key(each))
            for each in users
        ]

    def log_ins(self, users: Iterable[int]) -> list[Draft]:
        draft = self.world.web.draft
        return [draft(LogIn(email=email(each), password=PASSWORD), key=key(each)) for each in users]

    def log_outs(self, sessions: Iterable[LoggedIn]) -> list[Draft]:
        return [
            self.world.web.draft(
                LogOut(session_id=each.session_id, refresh_token=each.refresh_token),
                key=each.session_id.bytes,
            )
            for each in sessions
        ]

    async def send(self, drafts: Sequence[Draft], *, over: float = 0.0) -> None:
        """Send these, spread over so many seconds."""
        self.drafts += drafts
        pause = over / len(drafts)
        for draft in drafts:
            await self.world.web.send(draft)
            if pause:
                await asyncio.sleep(pause)

    async def persists(self, *, within: float, again: float = 5) -> None:
        """Ask again until all is answered, as a client does: an answer goes with its process."""
        async with asyncio.timeout(within):
            while left := [each for each in self.drafts if not self.world.web.answers(each.id)]:
                with suppress(TimeoutError):
                    await self.answered(left, within=again)
                    return
                await asyncio.gather(*(self.world.web.send(draft) for draft in left))

    async def answered(self, drafts: Sequence[Draft], *, within: float = 20) -> list[Reply]:
        """Wait until each of these has an answer."""
        waits = (self.world.web.heard(draft, 1, within=within) for draft in drafts)
        return [heard[0] for heard in await asyncio.gather(*waits)]

    async def asked(self, drafts: Sequence[Draft], *, within: float = 20) -> list[Reply]:
        """Send all at once, and wait for the answers."""
        self.drafts += drafts
        await asyncio.gather(*(self.world.web.send(draft) for draft in drafts))
        return await self.answered(drafts, within=within)

    async def with_sessions(self, users: int) -> list[LoggedIn]:
        """Register so many users and log each in."""
        await self.asked(self.registers(range(users)))
        replies = await self.asked(self.log_ins(range(users)))
        self.sessions = [each for each in replies if isinstance(each, LoggedIn)]
        assert len(self.sessions) == users
        return self.sessions

    async def checked(self) -> dict[UUID, Reply]:
        """Each command was answered the same each time and had one effect; returns the answers."""
        answers: dict[UUID, Reply] = {}
        for draft in self.drafts:
            heard = [self.world.web.read(each, draft) for each in self.world.web.answers(draft.id)]
            assert heard, "a command without an answer"
            assert all(each == heard[0] for each in heard), "two answers to one command"
            answers[draft.id] = heard[0]
        events = await self.world.events()
        caused = Counter(event.causation_id for event in events)
        assert caused == Counter(id_ for id_, answer in answers.items() if _has_effect(answer))
        for event in events:
            assert _agree(event, answers[event.causation_id])
        assert_in_order(events)
        (inbox,) = await self.world.rows("SELECT count(*) AS n, count(DISTINCT id) AS d FROM inbox")
        assert inbox["n"] == inbox["d"] == len(answers)
        return answers


def assert_in_order(events: Iterable[Event]) -> None:
    """Each user's events count 1, 2, 3 ... in the order in which they were written."""
    last: Counter[UUID] = Counter()
    for event in events:
        last[event.user_id] += 1
        assert event.sequence == last[event.user_id]


def assert_events_count(events: list[dict[str, Any]]) -> None:
    """Each event is there once, and each user's count 1, 2, 3 ... without a gap."""
    assert max(Counter(each["id"] for each in events).values()) == 1
    of_user: Counter[str] = Counter()
    for each in sorted(events, key=lambda each: (each["user_id"], each["sequence"])):
        of_user[each["user_id"]] += 1
        assert each["sequence"] == of_user[each["user_id"]]


async def until(condition: Callable[[], object], *, within: float = 10) -> None:
    """Wait until this holds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 - conditions of any kind
            await asyncio.sleep(0.02)


def email(user: int) -> str:
    return f"user{user}@example.com"


def key(user: int) -> bytes:
    return b"key %d" % user


def _has_effect(answer: Reply) -> bool:
    return isinstance(answer, Registered | LoggedIn | LoggedOut)


def _agree(event: Event, answer: Reply) -> bool:
    match event, answer:
        case UserCreated(user_id=said), Registered(user_id=told):
            return said == told
        case SessionStarted(session_id=said), LoggedIn(session_id=told):
            return said == told
        case SessionEnded(session_id=said), LoggedOut(session_id=told):
            return said == told
        case _:
            return False
