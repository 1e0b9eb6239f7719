"""The consumers of a world as a process of their own, which can be killed."""

# pyright: reportPrivateUsage=false

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from authbus_service.consumers import subscriber
from authbus_service.core.database import connect
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.passwords import Hasher
from tests.rig import programs
from tests.rig.world import CHEAP, World

_REPOSITORY = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def a_process(world: World) -> AsyncGenerator[programs.Program]:
    """Run a process that consumes; it is killed at the end, if it still lives."""
    process = await programs.start(
        module=__name__, environment=os.environ, folder=_REPOSITORY, given=_told(world)
    )
    try:
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        await process.wait()


def _told(world: World) -> str:
    url = world.database.engine.url.render_as_string(hide_password=False)
    told = {
        "servers": world.servers,
        "namespace": world.namespace,
        "database": url,
        "masters": [key.hex() for key in world.masters._keys.values()],
        "keys": [asdict(key) for key in world.keyring._rows.values()],
    }
    return json.dumps(told, default=str)


def _keyring(told: dict[str, Any]) -> KeyRing:
    keyring = KeyRing(Masters([bytes.fromhex(each) for each in told["masters"]]))
    rows = (
        each | {"not_before": datetime.fromisoformat(each["not_before"])} for each in told["keys"]
    )
    keyring.load(Key(**row) for row in rows)
    return keyring


async def _consume(told: dict[str, Any]) -> None:
    # So that a process that was killed is missed soon.
    subscriber._SESSION_MS, subscriber._HEARTBEAT_MS = 2000, 500
    keyring = _keyring(told)
    world = World(
        servers=told["servers"],
        namespace=told["namespace"],
        database=connect(told["database"]),
        masters=keyring.masters,
        keyring=keyring,
        hashes=HashPool(Hasher(CHEAP)),
        web=None,  # pyright: ignore[reportArgumentType] - nobody asks here
    )
    async with world.consuming() as consumers:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        assert consumers.failure is not None
        await consumers.failure


if __name__ == "__main__":
    asyncio.run(_consume(json.load(sys.stdin)))
