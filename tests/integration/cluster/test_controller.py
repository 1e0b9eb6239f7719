"""A cluster that just starts has nobody yet who makes topics."""

from typing import Any

import pytest

from authbus_service.cluster import Admin
from authbus_service.cluster.admin import NewlyWanted
from authbus_service.embedded import Addresses


async def test_topics_are_made_once_a_starting_cluster_has_somebody_who_makes_them(
    addresses: Addresses, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{namespace}.new"
    async with Admin.connect(addresses.bootstrap_servers, {}) as admin:
        insides: Any = admin
        client = insides._client._client
        look, looks = client.force_metadata_update, 0
        client.cluster.controller = None

        async def looked() -> object:
            nonlocal looks
            looks += 1
            return looks < 3 or await look()

        monkeypatch.setattr(client, "force_metadata_update", looked)

        await admin.create([NewlyWanted(name, 1, 1, {})])

        assert looks == 3
        client.cluster.controller = None
        looks = 0
        await admin.delete([name])
        assert looks == 3
