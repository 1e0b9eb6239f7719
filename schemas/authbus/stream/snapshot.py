"""The users of one partition of auth.state.users.v1, while it is written to and compacted."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from authbus.kafka.following import Record
from authbus.kafka.guarding import is_readable, tell_passed_over
from authbus.state import UserState
from authbus.stream.patience import patiently
from authbus.strict_json import read_json

_POLL_MS = 200
_AT_ONCE = 500


class Snapshot:
    """Each living user once, with the newest state before `end`; nobody who was erased before that.

    It is read twice. The first time tells which record is each user's last one. Only those are
    given out the second time: a tombstone that the broker's cleaner took away before it was seen
    had taken the user's state with it by then. A state that the cleaner took away because a newer
    one stands behind `end` is found there: the second time goes on to where nothing more follows.
    """

    def __init__(
        self,
        reader: AIOKafkaConsumer,
        place: TopicPartition,
        end: int,
        poll: Callable[[], Awaitable[None]],
    ) -> None:
        """`reader` reads committed records; `poll` is awaited before each of its fetches."""
        self.known: dict[UUID, int] = {}
        self.erased: set[UUID] = set()
        self.position = 0
        self._reader, self._place, self._end, self._poll = reader, place, end, poll
        self._last: dict[UUID, int] = {}

    async def users(self) -> AsyncGenerator[UserState]:
        """Their states. `known` and `erased` grow with them; at the end `position` is there."""
        self._reader.assign([self._place])
        await self._rewind()
        while await self._position() < self._end:
            for record in await self._fetched():
                self._note(record)
        await self._rewind()
        while not await self._is_through():
            for record in await self._fetched():
                state = self._state(record)
                if state is not None:
                    yield state
        self.position = await self._position()

    async def _rewind(self) -> None:
        first = await patiently(self._reader.beginning_offsets, [self._place])
        self._reader.seek(self._place, first[self._place])

    async def _position(self) -> int:
        return await patiently(self._reader.position, self._place)

    async def _is_through(self) -> bool:
        """Whether the last fetch was one to the end: what is a user's last record was seen."""
        stable = self._reader.last_stable_offset(self._place)
        return await self._position() >= max(self._end, stable or 0)

    async def _fetched(self) -> list[Record]:
        await self._poll()
        found = await patiently(
            self._reader.getmany, self._place, timeout_ms=_POLL_MS, max_records=_AT_ONCE
        )
        return found.get(self._place, [])

    def _note(self, record: Record) -> None:
        user_id = _user_id(record)
        if user_id is None or record.offset >= self._end:
            return
        if record.value is None:
            self._last.pop(user_id, None)
            self.erased.add(user_id)
        else:
            self._last[user_id] = record.offset

    def _state(self, record: Record) -> UserState | None:
        user_id = _user_id(record)
        if user_id is None:
            return None
        if record.offset < self._end and self._last.get(user_id) != record.offset:
            return None
        self._last.pop(user_id, None)
        if record.value is None:
            self.erased.add(user_id)
            return None
        state = read_state(record)
        if state is None or state.sequence <= self.known.get(user_id, 0):
            return None
        self.known[user_id] = state.sequence
        return state


def _user_id(record: Record) -> UUID | None:
    try:
        return UUID((record.key or b"").decode())
    except ValueError:
        return None


def read_state(record: Record) -> UserState | None:
    """The state in a record; None for a tombstone and for what is none."""
    if record.value is None or not is_readable(record):
        return None
    try:
        return UserState.model_validate(read_json(record.value))
    except ValueError as error:
        tell_passed_over(record, error)
        return None
