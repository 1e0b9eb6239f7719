"""How long the watchdog may be told to wait: never so short that it ends a healthy process."""

# pyright: reportPrivateUsage=false

from pathlib import Path

import pytest

from authbus_service.consumers import subscriber
from authbus_service.core import settings
from authbus_service.core.config import ConfigError, load
from authbus_service.relay import past, producer

NAME = "AUTHBUS_WATCHDOG_SECONDS"
NO_FILE = Path("none")


@pytest.mark.parametrize("seconds", ["1", "10", "29"])
def test_one_that_a_healthy_process_may_outlast_is_refused_with_what_to_give(
    monkeypatch: pytest.MonkeyPatch, seconds: str
) -> None:
    monkeypatch.setenv(NAME, seconds)

    with pytest.raises(ConfigError, match=rf"^{NAME}: .*Give 30 or more, or 0 for no watchdog$"):
        load(NO_FILE)


@pytest.mark.parametrize("seconds", ["0", "30", "3600"])
def test_a_longer_one_is_taken_and_none(monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv(NAME, seconds)

    assert load(NO_FILE).watchdog_seconds == int(seconds)


def test_neither_a_rebalance_nor_a_start_of_the_relay_takes_as_long() -> None:
    rebalance = 2 * subscriber._SESSION_MS / 1000
    start = producer.OPEN_SECONDS + past._SECONDS

    assert max(rebalance, start) < settings._LEAST_PATIENCE
