"""A database belongs to one namespace on one cluster: other offsets mean nothing to it."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from authbus_service.cluster.errors import ClusterError
from authbus_service.core.database import Database
from authbus_service.core.ids import new_id
from authbus_service.core.installation import Installation


async def settle(
    database: Database, *, namespace: str, cluster_id: str, recovering: bool = False
) -> UUID:
    """Write down at the first start where this database belongs; return its epoch.

    Raises ClusterError when it belongs elsewhere, and when a recovery of it was not finished,
    unless it is `recovering` that asks.
    """
    mine = {"only": 1, "namespace": namespace, "cluster_id": cluster_id, "epoch": new_id()}
    mine |= {"recovering": False, "restore_point": None}
    columns = (
        Installation.namespace,
        Installation.cluster_id,
        Installation.epoch,
        Installation.recovering,
    )
    async with database.transaction() as db:
        await db.execute(insert(Installation).values(mine).on_conflict_do_nothing())
        found = (await db.execute(select(*columns))).one()
    if found.namespace != namespace:
        raise ClusterError(
            f"this database belongs to the namespace {found.namespace!r}, not {namespace!r}. "
            f"Set AUTHBUS_NAMESPACE={found.namespace}, or give another DATABASE_URL"
        )
    if found.cluster_id != cluster_id:
        raise ClusterError(
            f"this database belongs to the Kafka cluster {found.cluster_id}, not {cluster_id}. "
            "Give that cluster's KAFKA_BOOTSTRAP_SERVERS, or another DATABASE_URL"
        )
    if found.recovering and not recovering:
        raise ClusterError("a recovery has begun and is not finished. Run: authbus recover")
    return found.epoch
