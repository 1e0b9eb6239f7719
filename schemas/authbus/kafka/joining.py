"""Joining a group takes as long as its slowest member: Kafka answers when all have come.

A consumer that notices within seconds that a connection is dead would take that wait for silence,
close the connection, join anew, and have all others begin again.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.client import ConnectionGroup
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest

_MORE_SECONDS = 5.0


@asynccontextmanager
async def patient(coordinator: Any, request: object) -> AsyncGenerator[None]:  # noqa: ANN401 - aiokafka's own
    """Let what is asked of the coordinator meanwhile wait for a rebalance, if this begins one.

    Whatever else is asked on its connection is answered after that: Kafka keeps their order.
    """
    node, client = coordinator.coordinator_id, coordinator._client  # noqa: SLF001
    if node is None or not isinstance(request, JoinGroupRequest | SyncGroupRequest):
        yield
        return
    connection = await client._get_conn(node, group=ConnectionGroup.COORDINATION)  # noqa: SLF001
    if connection is None:
        yield
        return
    usual = connection._request_timeout  # noqa: SLF001
    longest = coordinator._rebalance_timeout_ms / 1000 + _MORE_SECONDS  # noqa: SLF001
    connection._request_timeout = max(usual, longest)  # noqa: SLF001
    try:
        yield
    finally:
        connection._request_timeout = usual  # noqa: SLF001
