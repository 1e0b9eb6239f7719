"""The keys: made at the first start, and their public halves said in the same transaction."""

from authbus.envelope import EVENT_SOURCE, JSON_TYPE, cloud_event
from authbus.state import PublicKey
from authbus.topics import KEYS_STATE
from authbus_service.core.clock import now
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters
from authbus_service.outbox.repository import Record, append


async def open_keyring(database: Database, masters: Masters) -> KeyRing:
    """The key ring with every key of this database; processes that start at once agree on it.

    Raises MasterKeyError when the database names a master that is not given.
    """
    ring = KeyRing(masters)
    async with database.transaction() as db:
        first = first_keys(now(), masters)
        if await repository.add_first(db, first):
            ring.load(first)
            await append(db, [_record(key) for key in ring.public_records()])
        ring.load(await repository.keys(db))
    return ring


def _record(key: PublicKey) -> Record:
    id_ = new_id()
    headers = cloud_event(
        id=id_,
        type=key.wire_type(),
        source=EVENT_SOURCE,
        time=now(),
        subject=key.kid,
        extra={"content-type": JSON_TYPE},
    )
    return Record(
        id=id_,
        topic=KEYS_STATE,
        key=key.kid,
        type=key.wire_type(),
        payload=key.model_dump_json(exclude_none=True).encode(),
        headers=headers,
    )
