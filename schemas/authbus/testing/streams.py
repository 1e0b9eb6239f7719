"""An EventStream of what the fake has said."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self, cast
from uuid import UUID

from authbus.events import UserErased
from authbus.state import UserState
from authbus.stream.beginning import zoned
from authbus.stream.event_stream import EventStream
from authbus.stream.events import StreamEvent
from authbus.stream.overlap import Overlap
from authbus.stream.told import SnapshotBegins, SnapshotEnds, Told
from authbus.testing.memory import Memory, Said


@dataclass(slots=True)
class Group:
    """How far a group is. It has one partition, so its first member reads alone.

    `begun`: a place is kept; `told`: and beside it, that all users were told; `telling`: they are
    being told, and what comes behind them is not finished.
    """

    position: int = 0
    begun: bool = False
    told: bool = False
    telling: bool = False
    members: list["FakeStream"] = field(default_factory=list["FakeStream"])

    def keep(self, position: int, *, told: bool) -> None:
        """All before this place is finished."""
        self.position, self.told = position, told
        self.begun, self.telling = True, False

    def has_finished(self, until: int) -> bool:
        """Whether all before this place is finished."""
        return self.position >= until and not self.telling


def _users_of(log: list[Said]) -> tuple[dict[UUID, UserState], Overlap]:
    """The users after these events, and which of the events their states have in them."""
    states, erased = dict[UUID, UserState](), set[UUID]()
    for said in log:
        if said.state is not None:
            states[said.state.user_id] = said.state
        elif isinstance(said.event.data, UserErased):
            states.pop(said.event.user_id, None)
            erased.add(said.event.user_id)
    known = {user_id: state.sequence for user_id, state in states.items()}
    return states, Overlap(len(log), known, erased)


class FakeStream(EventStream):
    """Events as EventStream gives them; finished is what the loop has come back from."""

    def __init__(self, memory: Memory, group: Group, since: datetime | None) -> None:
        self._fake, self._member_of, self._from = memory, group, zoned(since)

    async def __aenter__(self) -> Self:
        """Become a member of the group."""
        self._member_of.members.append(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the group."""
        if self.open:
            self._member_of.members.remove(self)
        self._fake.wake()

    @property
    def open(self) -> bool:
        """Whether it is a member."""
        return self in self._member_of.members

    def __aiter__(self) -> AsyncGenerator[StreamEvent]:
        """Events as they come, without end."""
        return cast("AsyncGenerator[StreamEvent]", self._said(bootstrap=False))

    def bootstrap(self) -> AsyncGenerator[Told]:
        """Every user's state, then events, each behind the state that it made."""
        if self._from is not None:
            raise ValueError("since= is for a loop over events alone")
        return self._said(bootstrap=True)

    async def _said(self, *, bootstrap: bool) -> AsyncGenerator[Told]:
        memory, group = self._fake, self._member_of
        async with AsyncExitStack() as stack:
            if not self.open:
                await stack.enter_async_context(self)
            await memory.until(lambda: not self.open or group.members[0] is self)
            for each in self._users(bootstrap=bootstrap):
                yield each
                if not self.open:
                    return
            while await self._is_behind():
                at = group.position
                for each in self._told_by(memory.log[at], bootstrap=bootstrap):
                    yield each
                if self.open and group.position == at:
                    group.keep(at + 1, told=bootstrap)
                    memory.wake()

    async def _is_behind(self) -> bool:
        """Wait for the next event; False when the stream is closed."""
        memory, group = self._fake, self._member_of
        await memory.until(lambda: not self.open or group.position < len(memory.log))
        return self.open

    def _told_by(self, said: Said, *, bootstrap: bool) -> Iterator[Told]:
        if bootstrap and said.state is not None:
            yield said.state
        if self._from is None or said.event.time >= self._from:
            yield said.event

    def _users(self, *, bootstrap: bool) -> Iterator[Told]:
        """Every user, where they must be told, and then the events that no state has in it."""
        memory, group = self._fake, self._member_of
        if not self.open:
            return
        group.telling = bootstrap and not group.told
        if not group.telling:
            return
        fresh, begins = not group.begun, len(memory.log)
        yield SnapshotBegins(fresh=fresh)
        if fresh:
            group.begun, group.position = True, begins
        states, overlap = _users_of(memory.log)
        yield from states.values()
        yield SnapshotEnds(len(states))
        # The group's place stays where it was until events are beyond what the states know.
        for said in memory.log[group.position : overlap.until]:
            if not overlap.covers(said.event):
                yield said.event
        group.keep(overlap.until, told=True)
        memory.wake()
