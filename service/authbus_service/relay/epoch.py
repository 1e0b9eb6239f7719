"""Whose relay speaks: that of the database's epoch, and none while the database is recovered."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import true

from authbus_service.cluster.acls import relay_name
from authbus_service.core import installation
from authbus_service.core.database import Database
from authbus_service.relay.errors import (
    EpochOverError,
    HangingError,
    LeaseLostError,
    OutcomeUnknownError,
    UnsettledError,
)
from authbus_service.relay.past import Past
from authbus_service.relay.producer import OPEN_SECONDS, TransactionalProducer

_SECONDS = 5.0


async def require_epoch(database: Database, epoch: UUID) -> None:
    """Raise EpochOverError when the database was recovered since this epoch, or is right now."""
    async with asyncio.timeout(_SECONDS), database.reading() as db:
        found = await installation.found(db)
    if found is not None and (found.recovering or found.epoch != epoch):
        raise EpochOverError


async def settle_past(database: Database, namespace: str, client: Mapping[str, Any]) -> None:
    """End what any relay has begun to say: afterwards it is said or never will be.

    `client` are aiokafka's keyword arguments. Whoever recovers may not write what the relay says,
    and looks for the events on their topic besides. Raises ManifestError and UnsettledError.
    """
    async with asyncio.timeout(_SECONDS), database.reading() as db:
        epoch = (await installation.installed(db)).epoch
    producer = TransactionalProducer(
        client, transactional_id=relay_name(namespace), deadline=OPEN_SECONDS
    )
    try:
        await producer.open()
        await Past(namespace, client, database, epoch).settle(
            producer, provided=true(), vouch=False
        )
    except (HangingError, LeaseLostError, OutcomeUnknownError, TimeoutError) as error:
        why = str(error) or "Kafka did not say so in time"
        raise UnsettledError(
            f"what a relay has begun to say on Kafka does not come to its end: {why}. Stop every "
            "service of this namespace, also one on another database, see that each broker is "
            "there, then run authbus recover again: it goes on"
        ) from error
    finally:
        await producer.close()
