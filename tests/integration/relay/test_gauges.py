"""What a scrape tells of the relay: while rows wait, after an unknown outcome, when all is said."""

# pyright: reportPrivateUsage=false

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from authbus_service.outbox.repository import Waiting
from authbus_service.relay import producer
from authbus_service.relay.batch import Unit
from authbus_service.relay.errors import OutcomeUnknownError
from authbus_service.relay.loop import Pace, Relay
from authbus_service.relay.producer import Outgoing
from authbus_service.startup.gauges import bind_gauges
from tests.integration.relay.world import World, a_record, running
from tests.rig.failing import until
from tests.rig.scraping import Values, counted, scraped
from tests.rig.silence import silent
from tests.rig.world import CHEAP

LEADS, AGE = "relay_leads", "outbox_oldest_seconds"
BATCHES, RECORDS, RESTARTS = "relay_batches_total", "relay_records_total", "relay_restarts_total"
ONCE = {(): 1}
# The first batch has the heartbeat too, and no other one comes.
# One that is answered late is not counted as said.
PACE = Pace(deadline=8, heartbeat=3600, first_retry=0.01)
ROWS, AGED = 3, 60
NEVER = 0.5


class Looked(Relay):
    """Does not know what became of its first transaction, and is looked at on its way."""

    metrics: Metrics
    seen: list[dict[str, Values]]

    async def _say(
        self, together: list[Unit], rows: list[Waiting], records: list[Outgoing]
    ) -> None:
        self._look()
        if not self.state.restarts:
            raise OutcomeUnknownError
        await super()._say(together, rows, records)

    def _failed(self, error: Exception) -> None:
        super()._failed(error)
        self._look()

    def _look(self) -> None:
        self.seen.append(scraped(self.metrics, (LEADS, AGE, BATCHES, RECORDS, RESTARTS)))


class Unsettled(Relay):
    """Never comes to the end of what was said before."""

    async def _settle(self) -> None:
        async with asyncio.timeout(NEVER):
            await asyncio.Event().wait()


def bound(relay: Relay, world: World) -> Metrics:
    metrics, hashes = Metrics(), HashPool(Hasher(CHEAP))
    bind_gauges(metrics, [], Housekeeping(world.database), relay.state, hashes)
    hashes.close()
    return metrics


async def write_aged(world: World) -> None:
    await world.write(*(a_record() for _ in range(ROWS)))
    async with world.database.transaction() as db:
        await db.execute(text(f"UPDATE outbox SET \"timestamp\" = now() - interval '{AGED} s'"))


async def test_the_relay_tells_of_its_age_its_batches_and_why_it_began_anew(world: World) -> None:
    relay = world.relay(Looked, pace=PACE)
    assert isinstance(relay, Looked)
    relay.metrics, relay.seen = bound(relay, world), []
    await write_aged(world)

    async with running(relay):
        await until(lambda: relay.state.said == ROWS and relay.state.oldest_age == 0)
        relay._look()
    relay._look()

    waits, fallen, again, said, over = relay.seen
    ages = [each.pop(AGE)[()] for each in (waits, again)]
    assert AGED <= min(ages) <= max(ages) < AGED + 20
    unknown, told = {RESTARTS: {("outcome_unknown",): 1}}, {BATCHES: ONCE, RECORDS: {(): ROWS}}
    assert waits == {LEADS: ONCE}
    assert fallen == unknown
    assert again == {LEADS: ONCE, **unknown}
    assert said == {LEADS: ONCE, **told, **unknown}
    assert over == {**told, **unknown}


@pytest.mark.parametrize("what", ["open", "settle"])
async def test_a_relay_that_never_gets_past_its_start_tells_for_how_long_an_event_has_waited(
    world: World, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "OPEN_SECONDS", NEVER)
    async with silent() as address:
        place = replace(world, servers=address) if what == "open" else world
        relay = place.relay(Relay if what == "open" else Unsettled)
        metrics = bound(relay, world)
        await write_aged(world)

        async with running(relay):
            await until(lambda: relay.state.leading and relay.state.restarts["other"] > 1)
            await until(lambda: bool(counted(metrics, AGE)))
            first = counted(metrics, AGE)[()]
            await asyncio.sleep(NEVER / 4)
            later = counted(metrics, AGE)[()]

    assert AGED <= first < later < AGED + 20
    assert counted(metrics, RESTARTS).keys() == {("other",)}
    assert counted(metrics, AGE) == {}
