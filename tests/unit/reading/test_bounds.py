"""A stretch's end is an offset or a time; what is neither is refused with what was meant."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from authbus_service.reading.ranges import bound

AT = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def elsewhere() -> Iterator[None]:
    """An operator's machine is five hours behind UTC."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", "EST+5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(("text", "offset"), [("0", 0), ("12", 12), ("20260301", 20_260_301)])
def test_digits_alone_are_an_offset(text: str, offset: int) -> None:
    assert bound(text) == offset


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-01T02:00:00", "2026-03-01 02:00", "2026-03-01T02:00:00Z"),
        *("2026-03-01T04:00:00+02:00", "2026-02-28T21:00:00.000-05:00"),
    ],
)
def test_a_time_is_in_utc_unless_it_names_another_zone(text: str) -> None:
    assert bound(text) == AT


def test_a_day_alone_begins_at_midnight_in_utc() -> None:
    assert bound("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "", "-1", "1.5", "\u0661", "2026-13-01"])
def test_what_is_neither_is_refused_with_what_was_meant(text: str) -> None:
    with pytest.raises(ValueError, match="an offset, like 1200, nor a time, like 2026-03-01T02"):
        bound(text)
