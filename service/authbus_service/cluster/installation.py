"""A database belongs to one namespace on one cluster: other offsets mean nothing to it."""

from uuid import UUID

from authbus_service.cluster.errors import ClusterError
from authbus_service.core import installation
from authbus_service.core.database import Database
from authbus_service.core.installation import Installed


async def settle(
    database: Database, *, namespace: str, cluster_id: str, recovering: bool = False
) -> UUID:
    """Write down at the first start where this database belongs; return its epoch.

    Raises ClusterError when it belongs elsewhere, and when a recovery of it was not finished,
    unless it is `recovering` that asks.
    """
    async with database.transaction() as db:
        await installation.install(db, namespace=namespace, cluster_id=cluster_id)
        found = await installation.installed(db)
    _require(found, namespace=namespace, cluster_id=cluster_id, recovering=recovering)
    return found.epoch


async def compare(
    database: Database, *, namespace: str, cluster_id: str, recovering: bool = False
) -> None:
    """Raise as `settle` does, and write nothing: a database that belongs nowhere yet stays so."""
    async with database.reading() as db:
        found = await installation.found(db)
    if found is not None:
        _require(found, namespace=namespace, cluster_id=cluster_id, recovering=recovering)


def _require(found: Installed, *, namespace: str, cluster_id: str, recovering: bool) -> None:
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
