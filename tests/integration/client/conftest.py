"""A stand-in for the service in a namespace of its own, and clients that speak to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from authbus import AuthClient, EventStream, Verifier
from authbus_service.embedded import Addresses
from tests.integration.client.crowd import Crowd, a_crowd
from tests.integration.client.stand_in import CLIENT, StandIn

NewClient = Callable[..., AuthClient]
NewVerifier = Callable[..., Verifier]
NewStream = Callable[..., EventStream]


@pytest.fixture
def stand_in(addresses: Addresses, namespace: str) -> StandIn:
    """One that does not run yet."""
    return StandIn(addresses.bootstrap_servers, namespace)


@pytest.fixture
async def service(stand_in: StandIn) -> AsyncIterator[StandIn]:
    """One that answers. Nothing of a test may be left running when it is over."""
    before = asyncio.all_tasks()
    async with stand_in.running():
        yield stand_in
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert [task.get_coro() for task in left] == []


@pytest.fixture
def new_client(stand_in: StandIn) -> NewClient:
    def make(**options: Any) -> AuthClient:
        common: dict[str, Any] = {"namespace": stand_in.namespace, "trust": stand_in.trust}
        common |= {"client_id": CLIENT, "bootstrap_servers": stand_in.servers}
        return AuthClient(**{**common, **options})

    return make


@pytest.fixture
def new_verifier(stand_in: StandIn) -> NewVerifier:
    def make(**options: Any) -> Verifier:
        common: dict[str, Any] = {"namespace": stand_in.namespace, "trust": stand_in.trust}
        common["audience"] = CLIENT
        return Verifier(stand_in.servers, **{**common, **options})

    return make


@pytest.fixture
def new_stream(stand_in: StandIn) -> NewStream:
    def make(group: str = "g", **options: Any) -> EventStream:
        where = stand_in.namespace
        group = f"{where}-{group}"  # a member of a test before may still be in a group of that name
        return EventStream(stand_in.servers, group=group, namespace=where, **options)

    return make


@pytest.fixture
async def crowd(service: StandIn) -> AsyncIterator[Crowd]:
    async with a_crowd(service) as made:
        yield made
