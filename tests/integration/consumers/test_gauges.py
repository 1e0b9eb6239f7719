"""What a scrape tells of consumers and hashes while they are held in a state that is known."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from authbus import RegisterUser
from authbus_service.consumers.subscriber import Intake
from authbus_service.core import clock
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from authbus_service.relay.state import RelayState
from authbus_service.startup.gauges import bind_gauges
from tests.rig.crowd import PASSWORD, email
from tests.rig.failing import until
from tests.rig.scraping import Values, scraped
from tests.rig.world import CHEAP, World

GAUGES = (
    *("lanes", "in_flight", "assigned_partitions", "lag_seconds", "last_poll_seconds"),
    *("hash_threads", "hash_running", "hash_queued", "clock_ahead_seconds"),
)
LATER = timedelta(minutes=1)
CREDENTIALS, TOPIC = ("credentials",), ("commands.credentials.v1",)
KEYS = (b"one", b"two", b"three", b"three")


class Held(Hasher):
    """Hashes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.free = threading.Event()

    def hash(self, password: str, salt: bytes | None = None) -> str:
        self.free.wait(20)
        return super().hash(password, salt)


def later(metrics: Metrics) -> dict[str, Values]:
    """What a scrape of a minute later reads."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(clock, "now", lambda: datetime.now(UTC) + LATER)
        return scraped(metrics, GAUGES)


def all_hear(intakes: Sequence[Intake]) -> bool:
    """Whether Kafka has answered each of them once."""
    members = [each.member() for each in intakes]
    return all(each is not None and each.answered_at() is not None for each in members)


async def test_what_is_under_way_is_told_by_lanes_records_age_and_hashes(world: World) -> None:
    web, hasher = world.web, Held()
    hashes = HashPool(hasher, threads=2)
    drafts = [
        web.draft(RegisterUser(email=email(number), password=PASSWORD), key=key)
        for number, key in enumerate(KEYS)
    ]
    async with replace(world, hashes=hashes).consuming() as consumers:
        metrics, (credentials, _) = consumers.watch.metrics, consumers.intakes
        bind_gauges(metrics, consumers.intakes, consumers.house, RelayState(), hashes)
        for draft in drafts:
            await web.send(draft)
        await until(lambda: credentials.progress.unfinished == len(KEYS) and hashes.queued == 1)
        await until(lambda: all_hear(consumers.intakes))
        consumers.house.ahead = timedelta(seconds=-7)
        during = later(metrics)
        hasher.free.set()
        for draft in drafts:
            await web.heard(draft, 1)
        await until(lambda: credentials.lanes.running == 0)
        after = later(metrics)
    hashes.close()

    lag, silent = during.pop("lag_seconds"), during.pop("last_poll_seconds")
    assert lag.keys() == {TOPIC}
    assert silent.keys() == {CREDENTIALS, ("cheap",)}
    ages = [timedelta(seconds=each) for each in (*lag.values(), *silent.values())]
    assert LATER <= min(ages) <= max(ages) < LATER + timedelta(seconds=20)
    assert during == {
        "lanes": {CREDENTIALS: 3},
        "in_flight": {CREDENTIALS: 4},
        "assigned_partitions": {CREDENTIALS: 2, ("cheap",): 6},
        "hash_threads": {(): 2},
        "hash_running": {(): 2},
        "hash_queued": {(): 1},
        "clock_ahead_seconds": {(): -7},
    }
    stays = {"assigned_partitions", "last_poll_seconds", "hash_threads", "clock_ahead_seconds"}
    assert after.keys() == stays
