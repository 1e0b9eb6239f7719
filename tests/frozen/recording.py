"""Lives a whole life with the client and the service of a wheel, and keeps each record of it."""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import asyncpg

import authbus
from authbus.client import outgoing
from authbus_service.embedded import Addresses
from tests.frozen.kept import KEPT, MASTER, REPLY_KEY, Kept, Version
from tests.rig.living import living
from tests.rig.topics import records

_COMPARED = ("commands", "envelope", "events", "replies", "state")


async def _record(version: Version, folder: Path) -> None:
    with patch.object(outgoing, "ReplyKey", lambda: REPLY_KEY):
        async with living(folder, MASTER) as (life, addresses):
            await life.lived()
            await _all_is_said(addresses)
            for topic in KEPT:
                found = [each async for each in records(addresses.bootstrap_servers, topic, "auth")]
                version.keep(topic, sorted(map(Kept.of, found), key=_place))
            version.keep_trust(life.trust)


async def _all_is_said(addresses: Addresses) -> None:
    db = await asyncpg.connect(addresses.database_url.replace("+asyncpg", ""))
    try:
        async with asyncio.timeout(20):
            while await db.fetchval("SELECT count(*) FROM outbox"):  # noqa: ASYNC110 - the relay's
                await asyncio.sleep(0.05)
    finally:
        await db.close()


def _place(kept: Kept) -> tuple[int, int, int]:
    return kept.timestamp, kept.partition, kept.offset


def _keep_spec(version: Version) -> None:
    """What the gate compares."""
    spec = Path(str(authbus.__file__)).parent / "spec"
    for name in _COMPARED:
        shutil.copytree(spec / name, version.spec / name)
    shutil.copy(spec / "contract.json", version.spec)


def main() -> None:
    """Write the version's folder, of what is imported."""
    site, folder = map(Path, sys.argv[1:])
    if not Path(str(authbus.__file__)).is_relative_to(site):
        sys.exit(f"{authbus.__file__} is not the wheel's")
    version = Version(folder)
    _keep_spec(version)
    with tempfile.TemporaryDirectory(prefix="freeze-") as servers:
        Path(servers).chmod(0o711)
        asyncio.run(_record(version, Path(servers)))


main()
