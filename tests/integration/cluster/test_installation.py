"""A database stays with its namespace and its cluster."""

import asyncio

import pytest

from authbus_service.cluster import ClusterError
from authbus_service.cluster.installation import settle
from authbus_service.core.database import Database


async def test_the_first_start_writes_the_installation_and_later_ones_find_its_epoch(
    database: Database,
) -> None:
    first = await settle(database, namespace="auth", cluster_id="one")

    assert await settle(database, namespace="auth", cluster_id="one") == first


async def test_first_starts_side_by_side_agree_on_one_epoch(database: Database) -> None:
    starts = [settle(database, namespace="auth", cluster_id="one") for _ in range(5)]

    epochs = await asyncio.gather(*starts)

    assert len(set(epochs)) == 1


async def test_start_is_refused_when_the_namespace_differs(database: Database) -> None:
    await settle(database, namespace="auth", cluster_id="one")

    with pytest.raises(ClusterError, match="AUTHBUS_NAMESPACE=auth"):
        await settle(database, namespace="staging", cluster_id="one")


async def test_start_is_refused_when_the_cluster_differs(database: Database) -> None:
    await settle(database, namespace="auth", cluster_id="one")

    with pytest.raises(ClusterError, match="belongs to the Kafka cluster one, not two"):
        await settle(database, namespace="auth", cluster_id="two")
