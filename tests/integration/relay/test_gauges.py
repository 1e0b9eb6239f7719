"""What a scrape tells of the relay: while rows wait, after an unknown outcome, when all is said."""

# pyright: reportPrivateUsage=false

from sqlalchemy import text

from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.core.metrics import Metrics
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher
from authbus_service.outbox.repository import Waiting
from authbus_service.relay.batch import Unit
from authbus_service.relay.errors import OutcomeUnknownError
from authbus_service.relay.loop import Pace, Relay
from authbus_service.relay.producer import Outgoing
from authbus_service.startup.gauges import bind_gauges
from tests.integration.relay.world import World, a_record, running
from tests.rig.failing import until
from tests.rig.scraping import Values, scraped
from tests.rig.world import CHEAP

LEADS, AGE = "relay_leads", "outbox_oldest_seconds"
BATCHES, RECORDS, RESTARTS = "relay_batches_total", "relay_records_total", "relay_restarts_total"
ONCE = {(): 1}
# The first batch has the heartbeat too, and no other one comes.
PACE = Pace(heartbeat=3600, first_retry=0.01)
ROWS, AGED = 3, 60


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


async def test_the_relay_tells_of_its_age_its_batches_and_why_it_began_anew(world: World) -> None:
    hashes, metrics = HashPool(Hasher(CHEAP)), Metrics()
    relay = world.relay(Looked, pace=PACE)
    assert isinstance(relay, Looked)
    relay.metrics, relay.seen = metrics, []
    bind_gauges(metrics, [], Housekeeping(world.database), relay.state, hashes)
    await world.write(*(a_record() for _ in range(ROWS)))
    async with world.database.transaction() as db:
        await db.execute(text(f"UPDATE outbox SET \"timestamp\" = now() - interval '{AGED} s'"))

    async with running(relay):
        await until(lambda: relay.state.said == ROWS and relay.state.oldest_age == 0)
        relay._look()
    relay._look()
    hashes.close()

    waits, fallen, again, said, over = relay.seen
    ages = [each.pop(AGE)[()] for each in (waits, again)]
    assert AGED <= min(ages) <= max(ages) < AGED + 20
    unknown, told = {RESTARTS: {("outcome_unknown",): 1}}, {BATCHES: ONCE, RECORDS: {(): ROWS}}
    assert waits == {LEADS: ONCE}
    assert fallen == unknown
    assert again == {LEADS: ONCE, **unknown}
    assert said == {LEADS: ONCE, **told, **unknown}
    assert over == {**told, **unknown}
