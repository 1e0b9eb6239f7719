"""A command's id carries the millisecond of its making."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from authbus.uuid7 import time_of, uuid7


def test_an_id_is_a_uuid_of_version_7_of_this_moment() -> None:
    made = [uuid7() for _ in range(1000)]

    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert len(set(made)) == 1000
    assert abs(time_of(made[0]) - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_time_of_an_id_is_that_of_rfc_9562s_example() -> None:
    example = UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")

    assert time_of(example) == datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)


def test_an_id_of_another_version_has_no_time() -> None:
    with pytest.raises(ValueError, match="UUIDv7"):
        time_of(uuid4())
