"""Keys that were made after the backup: their names are on the key topic, they in the masters."""

from collections.abc import Iterable

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from authbus.signing import thumbprint
from authbus.state import PublicKey
from authbus.topics import KEYS_STATE
from authbus.trust import Trust
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.recovery.reading import Topics


async def said_keys(topics: Topics, masters: Masters) -> list[Key]:
    """Every key on the topic that one of our masters gives."""
    newest: dict[str, PublicKey] = {}
    async for batch in topics.batches([KEYS_STATE], None):
        for _, record in batch:
            try:
                key = PublicKey.model_validate_json(record.value or b"")
            except ValidationError:
                continue
            newest[key.kid] = key
    return [key for record in newest.values() if (key := _ours(record, masters)) is not None]


async def missing_keys(db: AsyncConnection, found: Iterable[Key]) -> list[Key]:
    """Those that the database does not know."""
    known = {key.kid for key in await repository.keys(db)}
    return [key for key in found if key.kid not in known]


def _ours(record: PublicKey, masters: Masters) -> Key | None:
    """The key under the master that gives exactly this record's public half."""
    for master in masters.names:
        key = Key(record.kid, record.use, master, record.not_before, record.retired_at)
        ring = KeyRing(masters)
        ring.load([key])
        (made,) = ring.public_records()
        if made.jwk == record.jwk and Trust(_root(masters, master)).accept(record):
            return key
    return None


def _root(masters: Masters, master: str) -> str:
    return thumbprint(masters.root_key(master).public_key())
