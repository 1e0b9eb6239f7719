"""What an intake makes of a poll."""

# pyright: reportPrivateUsage=false

import struct
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import ConsumerStoppedError, KafkaError, NotLeaderForPartitionError
from structlog.testing import capture_logs

from authbus.kafka.batches import BoundedRecords
from tests.rig.batches import ZSTD, Raw, batch, compress, records
from tests.rig.memory import growth_below
from tests.unit.consumers.intake import ZERO, World, a_record

MIB = 1024 * 1024
NEARLY_4_MIB = bytes(4 * MIB - 100)
BOMBS = {
    "a value": Raw(NEARLY_4_MIB, b"k"),
    "a key": Raw(b"v", NEARLY_4_MIB),
    "a header": Raw(b"v", b"k", [(b"x", NEARLY_4_MIB)]),
    "headers without end": Raw(b"v", b"k", [(b"", None)] * 100_000),
}


class Fetched:
    """A consumer of one partition, of which all has come and nothing is unpacked."""

    def __init__(self, data: bytes) -> None:
        self._left = fetcher.PartitionRecords(
            ZERO, BoundedRecords(data), [], 0, None, None, True, fetcher.READ_COMMITTED
        )

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Any:
        assert timeout_ms >= 0
        found = list(islice(self._left, max_records))
        return {ZERO: found} if found else {}


def answering(*answers: Any) -> Any:
    """A consumer that answers so, one poll after the other; an error is raised."""
    left = list(answers)

    async def getmany(**_: int) -> Any:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return SimpleNamespace(getmany=getmany)


@pytest.mark.parametrize("bomb", BOMBS)
async def test_of_bombs_in_a_row_a_poll_unpacks_one_and_each_has_its_place(bomb: str) -> None:
    body = compress(ZSTD, records([BOMBS[bomb]]))
    one = batch(1, body, ZSTD)
    consumer: Any = Fetched(b"".join(struct.pack(">q", each) + one[8:] for each in range(60)))
    intake, offsets = World().intake, list[int]()

    with growth_below(200 * MIB):
        while found := await intake._poll(consumer):
            assert len(found) == 1
            offsets += [each.offset for each in found]

    assert offsets == list(range(60))


async def test_a_poll_takes_hundreds_of_honest_records_and_waits_for_none_but_the_first() -> None:
    waits: list[int] = []
    left = [a_record(ZERO, offset) for offset in range(700)]

    async def getmany(*, timeout_ms: int, max_records: int) -> Any:
        waits.append(timeout_ms)
        came = [left.pop(0) for _ in range(min(max_records, len(left)))]
        return {ZERO: came} if came else {}

    consumer: Any = SimpleNamespace(getmany=getmany)
    intake = World().intake

    first, second, third = [await intake._poll(consumer) for _ in range(3)]

    assert [each.offset for each in (*first, *second)] == list(range(700))
    assert (len(first), third) == (500, ())
    assert sum(wait > 0 for wait in waits) == 3


async def test_what_cannot_be_read_takes_nothing_with_it_that_came_before() -> None:
    consumer = answering({ZERO: [a_record(ZERO, 7)]}, NotLeaderForPartitionError(), {})
    with capture_logs() as lines:
        came = await World().intake._poll(consumer)

    assert [each.offset for each in came] == [7]
    assert [each["event"] for each in lines] == ["nothing can be read"]


async def test_what_came_before_an_error_of_another_kind_is_not_passed_over() -> None:
    world = World()
    consumer = answering({ZERO: [a_record(ZERO, 7)]}, ZeroDivisionError(), {})

    with pytest.raises(ZeroDivisionError):
        await world.intake._poll(consumer)
    await world.assign(ZERO)
    await world.take(8)

    assert [type(each) for each in world.failures] == [ZeroDivisionError]
    assert world.handled == []


async def test_a_consumer_that_was_stopped_is_no_failure() -> None:
    world = World()

    with pytest.raises(ConsumerStoppedError):
        await world.intake._poll(answering(ConsumerStoppedError()))

    assert world.failures == []


@pytest.mark.parametrize("error", [KafkaError("UnknownError()"), NotLeaderForPartitionError()])
async def test_what_cannot_be_read_is_read_again_at_once_and_the_log_says_so(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authbus_service.consumers.subscriber._POLL_AGAIN_SECONDS", 0)
    consumer = answering(error, {ZERO: [a_record(ZERO, 7)]}, {})
    with capture_logs() as lines:
        first, second = [await World().intake._poll(consumer) for _ in range(2)]

    assert first == ()
    assert [each.offset for each in second] == [7]
    assert [(each["event"], each["error"]) for each in lines] == [
        ("nothing can be read", type(error).__name__)
    ]
