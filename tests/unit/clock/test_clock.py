"""Kafka's milliseconds as a time."""

from datetime import UTC, datetime

import pytest

from authbus_service.core.clock import LONG_AGO, at_ms


def test_no_millisecond_is_rounded() -> None:
    at = datetime(2026, 11, 24, 1, 2, 3, 457_000, UTC)

    assert at_ms(1_795_482_123_457) == at


@pytest.mark.parametrize("milliseconds", [-(1 << 63), 253_402_300_800_000, (1 << 63) - 1])
def test_a_time_that_no_calendar_has_is_taken_for_long_ago(milliseconds: int) -> None:
    assert at_ms(milliseconds) == LONG_AGO
