"""What is taken over of a record, and what is not."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord

from authbus import topics
from authbus.kafka.decompression import LARGEST
from authbus.sealing import LARGEST_SEAL
from authbus_service.consumers.arrival import arrival
from authbus_service.consumers.bounded import size_of
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.unreadable import UnreadableError


@pytest.mark.parametrize(
    ("headers", "kept"),
    [
        ([("baggage", b"b" * 8192)] * 7, 7),
        ([("x", bytes(LARGEST // 2))], 0),
        ([("x", b"foreign")] * 10_000, 10_000),
        ([("", None)] * 20_000, 0),
    ],
    ids=["large ones", "a bomb", "many", "a bomb of many"],
)
def test_of_headers_that_only_a_bomb_has_none_is_held(
    headers: list[tuple[str, bytes | None]], kept: int
) -> None:
    named = ("ce_id", str(uuid4()).encode())
    values: Any = (0, 2**40, 1, b"k", b"value", None, 1, 5, (named, *headers))

    taken = arrival(topics.SESSIONS, ConsumerRecord("t", 0, *values))

    assert len(taken.headers) == (kept + 1 if kept else 0)
    assert taken.value == b"value"
    if not kept:
        with pytest.raises(UnreadableError, match="bad_header"):
            read_labels(taken)


def test_of_a_value_larger_than_any_seal_and_of_such_a_key_little_is_held() -> None:
    large = bytes(LARGEST)
    values: Any = (0, 2**40, 1, large, large, None, LARGEST, LARGEST, ())

    taken = arrival(topics.SESSIONS, ConsumerRecord("t", 0, *values))

    assert (taken.size, taken.digest) == (LARGEST, sha256(large).digest())
    assert taken.key == sha256(large).digest()
    assert len(taken.value) > LARGEST_SEAL
    assert size_of(taken) < 2 * LARGEST_SEAL
