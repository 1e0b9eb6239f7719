"""Duplicates, gaps, and what is forgotten."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from authbus.events import UserCreated
from authbus.stream.events import Gap, StreamEvent, read_event
from authbus.stream.memory import Memory
from tests.unit.authbus.records import a_record

USER = uuid4()


def an_event(sequence: int, user_id: UUID = USER, partition: int = 0) -> StreamEvent:
    data = UserCreated(user_id=user_id, sequence=sequence, actor="service", causation_id=uuid4())
    return StreamEvent(uuid4(), data.wire_type(), datetime.now(UTC), data, "t", partition, 0)


def hear(memory: Memory, event: StreamEvent) -> None:
    memory.keep_id(event)
    memory.keep_sequence(event)


def test_a_user_may_begin_with_any_sequence_and_goes_on_one_by_one() -> None:
    memory = Memory()
    hear(memory, an_event(7))

    assert memory.gap(an_event(8)) is None
    assert memory.gap(an_event(10)) == Gap(8, 10)
    assert memory.gap(an_event(10, uuid4())) is None


def test_what_was_heard_by_id_or_by_sequence_is_a_duplicate() -> None:
    memory = Memory()
    heard = an_event(2)
    hear(memory, heard)

    assert memory.has(heard)
    assert memory.has(an_event(2))
    assert memory.has(an_event(1))
    assert not memory.has(an_event(3))


def test_a_partition_that_went_to_another_member_is_forgotten_but_not_its_last_ids() -> None:
    memory = Memory()
    mine, theirs = an_event(1, partition=0), an_event(5, uuid4(), partition=1)
    hear(memory, mine)
    hear(memory, theirs)

    memory.forget([1])

    assert memory.has(theirs)
    assert memory.gap(an_event(9, theirs.user_id)) is None
    assert memory.gap(an_event(3)) == Gap(2, 3)


def test_the_memory_is_bounded_and_forgets_whom_it_has_not_heard_of_longest() -> None:
    memory = Memory(users=2, ids=2)
    first, second, third = (an_event(1, uuid4()) for _ in range(3))
    for event in (first, second, an_event(2, first.user_id), third):
        hear(memory, event)

    assert memory.gap(an_event(9, second.user_id)) is None
    assert memory.gap(an_event(9, first.user_id)) == Gap(3, 9)
    assert not memory.has(second)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (None, {}),
        (b"{}", {}),
        (b"not json", {"ce_type": "authbus.UserCreated.v1"}),
        (an_event(1).data.model_dump_json().encode(), {"ce_type": "authbus.UserCreated.v1"}),
    ],
)
def test_what_is_no_event_is_told_by_one_error(
    value: bytes | None, headers: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        read_event(a_record(value, headers=[(n, t.encode()) for n, t in headers.items()]))
