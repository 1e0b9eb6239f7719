"""The keys of a service at work are replaced, and the old ones destroyed."""

import asyncio
import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

from authbus.state import PublicKey
from authbus.topics import COMMANDS_KEPT, KEYS_STATE
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.security import repository
from authbus_service.core.security.keyring import KeyRing, new_key
from authbus_service.core.security.masters import Masters
from authbus_service.outbox.records import record_of
from authbus_service.outbox.repository import append
from authbus_service.startup import keys

_LEAD = timedelta(seconds=2)


async def long_ago(database: Database) -> None:
    """As if the keys that have retired had done so when the oldest command was not sent yet."""
    at = datetime.now(UTC) - COMMANDS_KEPT - timedelta(minutes=1)
    async with database.transaction() as db:
        found = [key for key in await repository.keys(db) if key.retired_at is not None]
        await repository.set_retired(db, [replace(key, retired_at=at) for key in found])


def jwks(http: str) -> set[str]:
    """The kids of the keys that a service has."""
    connection = HTTPConnection(http.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/.well-known/jwks.json")
        return {key["kid"] for key in json.load(connection.getresponse())["keys"]}
    finally:
        connection.close()


async def without(http: str, gone: set[str]) -> None:
    """Wait until a service has none of these keys any more."""
    async with asyncio.timeout(10):
        while await asyncio.to_thread(jwks, http) & gone:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def replaced(database: Database, master: str, http: str) -> None:
    """A new key to seal to is announced, serves in its time, and the one before is destroyed."""
    masters = Masters([b64decode(master)])
    changed = await keys.rotate(database, masters, ("enc",), _LEAD)
    (old,) = [key for key in changed if key.retired_at is not None]
    await asyncio.sleep(_LEAD.total_seconds())
    await _said_and_unsaid(database, masters)
    await long_ago(database)
    await keys.destroy(database, old.kid)
    await without(http, {old.kid})


async def _said_and_unsaid(database: Database, masters: Masters) -> None:
    """A newer key that serves at once is said to have ended; the service never knew it."""
    lost, ring = new_key("enc", datetime.now(UTC), masters), KeyRing(masters)
    ring.load([lost])
    (said,) = ring.public_records()
    async with database.transaction() as db:
        for told in (said, None):
            at = datetime.now(UTC)
            await append(
                db,
                [record_of(KEYS_STATE, lost.kid, PublicKey.wire_type(), told, id_=new_id(), at=at)],
            )
