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
from authbus.stream.told import SnapshotBegins, SnapshotEnds, Told
from authbus.testing.memory import Memory, Said


@dataclass(slots=True)
class Group:
    """How far a group is. It has one partition, so its first member reads alone."""

    position: int = 0
    begun: bool = False
    told: bool = False
    members: list["FakeStream"] = field(default_factory=list["FakeStream"])


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
            if bootstrap and not group.told:
                async for each in self._snapshot():
                    yield each
            while self.open:
                at = group.position
                if at == len(memory.log):
                    await memory.until(lambda: not self.open or group.position < len(memory.log))
                    continue
                for each in self._told_by(memory.log[at], bootstrap=bootstrap):
                    yield each
                if self.open and group.position == at:
                    group.position = at + 1
                    memory.wake()

    def _told_by(self, said: Said, *, bootstrap: bool) -> Iterator[Told]:
        if bootstrap and said.state is not None:
            yield said.state
        if self._from is None or said.event.time >= self._from:
            yield said.event

    async def _snapshot(self) -> AsyncGenerator[Told]:
        group = self._member_of
        fresh, group.begun = not (group.begun or group.position), True
        states: dict[UUID, UserState] = {}
        until = len(self._fake.log)
        for said in self._fake.log[:until]:
            if said.state is not None:
                states[said.state.user_id] = said.state
            elif isinstance(said.event.data, UserErased):
                states.pop(said.event.user_id, None)
        yield SnapshotBegins(fresh=fresh)
        for state in states.values():
            yield state
        group.position, group.told = until, True
        yield SnapshotEnds(len(states))
