"""A version's commands in this version's service, each as of the time when it was sent."""

from dataclasses import dataclass, field

from authbus.state import PublicKey
from authbus.strict_json import read_json
from authbus_service.auth.roles.roles import BUILT_IN
from authbus_service.consumers.arrival import arrival
from authbus_service.consumers.housekeeping import Housekeeping
from authbus_service.consumers.labels import read_labels
from authbus_service.consumers.policy import policy_of
from authbus_service.consumers.route import Saying
from authbus_service.core import clock
from authbus_service.core.config import Settings
from authbus_service.core.database import Database
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.passwords import Hasher
from authbus_service.outbox.repository import Waiting, oldest
from tests.frozen.kept import MASTER, Version
from tests.model.looking import let_the_clock_stand, put_the_clock
from tests.rig.way import Ear, a_way, written
from tests.rig.world import CHEAP

_ALL = 10_000


@dataclass
class Replayed:
    """The answers in the order of the commands, and all that waits to be said."""

    answers: list[Saying] = field(default_factory=list[Saying])
    said: list[Waiting] = field(default_factory=list[Waiting])


async def replayed(database: Database, version: Version) -> Replayed:
    """Handle each command of this version."""
    settings = Settings()
    await let_the_clock_stand(database)
    await database.close()
    ear, hashes = Ear(), HashPool(Hasher(CHEAP))
    policy = policy_of(settings, BUILT_IN)
    way, writers = a_way(database, ear, hashes, _keyring(version), policy, settings)
    async with written(writers):
        for topic, each in version.commands():
            came = arrival(topic, each.record(topic))
            async with database.transaction() as db:
                await put_the_clock(db, each.at)
            with clock.standing_at(each.at):
                await Housekeeping(database).keep_partitions()
                await way(came, read_labels(came))
    hashes.close()
    async with database.reading() as db:
        return Replayed(ear.heard, await oldest(db, _ALL))


def _keyring(version: Version) -> KeyRing:
    masters = Masters([MASTER])
    ring = KeyRing(masters)
    public = [
        PublicKey.model_validate(read_json(each.value or b"")) for each in version.key_records()
    ]
    ring.load(Key(k.kid, k.use, masters.current, k.not_before, k.retired_at) for k in public)
    return ring
