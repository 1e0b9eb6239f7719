"""The users of a partition that is written to and compacted between any two fetches."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from aiokafka import TopicPartition

from authbus.kafka import guarding
from authbus.kafka.following import Record
from authbus.state import UserState, UserStatus
from authbus.stream.snapshot import Snapshot
from tests.rig.warnings import warnings_of
from tests.unit.authbus.records import a_record

PLACE = TopicPartition("states", 0)
ROUNDS = 750


@dataclass
class Log:
    """A partition: what the broker holds of it, and how its cleaner works."""

    chance: random.Random
    records: dict[int, tuple[UUID, int | None]] = field(default_factory=dict[Any, Any])
    end: int = 0
    sequences: dict[UUID, int] = field(default_factory=dict[UUID, int])
    cleaned: set[int] = field(default_factory=set[int])

    def write(self, user_id: UUID, *, erase: bool = False) -> None:
        sequence = self.sequences.get(user_id, 0) + 1
        self.sequences[user_id] = sequence
        self.records[self.end] = (user_id, None if erase else sequence)
        self.end += 1

    def clean(self) -> None:
        """Keep each key's last record up to some place; a tombstone goes at the second time."""
        upto = self.chance.randint(0, self.end)
        last = {user: at for at, (user, _) in sorted(self.records.items()) if at < upto}
        for at, (user, sequence) in sorted(self.records.items()):
            if at < upto and (last[user] != at or (sequence is None and at in self.cleaned)):
                del self.records[at]
        self.cleaned |= {at for at in last.values() if at in self.records}

    @property
    def living(self) -> dict[UUID, int]:
        found: dict[UUID, int] = {}
        for _, (user, sequence) in sorted(self.records.items()):
            found.pop(user, None)
            if sequence is not None:
                found[user] = sequence
        return found


class Reader:
    """A consumer of that log, with fetches of a few records."""

    def __init__(self, log: Log) -> None:
        self.log, self.at, self.stable = log, 0, 0

    def assign(self, places: Sequence[TopicPartition]) -> None:
        assert places == [PLACE]

    async def beginning_offsets(self, places: object) -> dict[TopicPartition, int]:
        return {PLACE: 0}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.at = offset

    async def position(self, place: TopicPartition) -> int:
        return self.at

    def last_stable_offset(self, place: TopicPartition) -> int:
        return self.stable

    async def getmany(self, place: TopicPartition, **_: object) -> dict[TopicPartition, Any]:
        self.stable = self.log.end
        most = self.log.chance.randint(1, 4)
        offsets = [at for at in sorted(self.log.records) if at >= self.at][:most]
        self.at = offsets[-1] + 1 if len(offsets) == most else self.log.end
        return {PLACE: [self.record(offset) for offset in offsets]}

    def record(self, offset: int) -> Record:
        user, sequence = self.log.records[offset]
        value = None if sequence is None else a_state(user, sequence).model_dump_json().encode()
        return a_record(value, key=str(user).encode(), offset=offset)


def a_state(user_id: UUID, sequence: int) -> UserState:
    return UserState(
        user_id=user_id, sequence=sequence, email="ana@example.com", status=UserStatus.ACTIVE
    )


def busy(log: Log, users: Sequence[UUID], times: int) -> None:
    """So many changes by others, here and there an erasure or a visit of the cleaner."""
    for _ in range(times):
        user = log.chance.choice(users)
        gone = user in log.sequences and user not in log.living
        if not gone:
            log.write(user, erase=user in log.living and log.chance.random() < 0.2)
        if log.chance.random() < 0.3:
            log.clean()


async def told(snapshot: Snapshot) -> list[UserState]:
    return [state async for state in snapshot.users()]


async def a_round(seed: int) -> None:
    log = Log(random.Random(seed))
    users = [UUID(int=number) for number in range(1, log.chance.randint(2, 12))]
    busy(log, users, log.chance.randint(0, 40))
    before, end = log.living, log.end
    gone = log.sequences.keys() - before.keys()
    pace = log.chance.choice([0, 1, 3])

    async def poll() -> None:
        busy(log, users, log.chance.randint(0, pace))

    snapshot = Snapshot(Reader(log), PLACE, end, poll)  # pyright: ignore[reportArgumentType]
    found = await told(snapshot)

    after = log.living
    names = [state.user_id for state in found]
    assert before.keys() & after.keys() <= set(names), "a living user is missing"
    assert not gone & set(names), "an erased user came back"
    assert all(state.sequence >= before.get(state.user_id, 0) for state in found)
    assert _grows(found)
    assert snapshot.known == {state.user_id: state.sequence for state in found}
    if not pace:
        assert {state.user_id: state.sequence for state in found} == before
        assert len(names) == len(set(names))


def _grows(found: Iterable[UserState]) -> bool:
    last: dict[UUID, int] = {}
    for state in found:
        if state.sequence <= last.get(state.user_id, 0):
            return False
        last[state.user_id] = state.sequence
    return True


@pytest.mark.parametrize("part", range(4))
async def test_no_living_user_is_missing_and_no_erased_one_comes_back(part: int) -> None:
    for seed in range(part * ROUNDS, (part + 1) * ROUNDS):
        try:
            await a_round(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error


async def test_what_is_no_state_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    log, warned = Log(random.Random(0)), warnings_of(guarding, monkeypatch)
    ana, bob = UUID(int=1), UUID(int=2)
    log.write(ana)
    log.write(bob)

    class Odd(Reader):
        def record(self, offset: int) -> Record:
            if offset == 0:
                return a_record(b"\xff no state", key=str(ana).encode())
            return super().record(offset)

    async def poll() -> None:
        return

    found = await told(Snapshot(Odd(log), PLACE, 2, poll))  # pyright: ignore[reportArgumentType]

    assert [state.user_id for state in found] == [bob]
    assert "passed over" in warned.text
    assert "no state" not in warned.text
