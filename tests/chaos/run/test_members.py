"""What of a member's ends is to be told: that it could not start, or ended as nobody told it to."""

# pyright: reportPrivateUsage=false

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.chaos.run.members import End, Member
from tests.rig.post import free_port

GOOD = bytes(range(32)).hex()


async def end_of(settings: Mapping[str, str], folder: Path) -> End:
    """How the first start ends."""
    orders = folder / "orders"
    orders.mkdir()
    member = Member(settings, folder / "service.log", orders)
    trying = asyncio.create_task(member._start_again())
    try:
        async with asyncio.timeout(60):
            while not member.alone:  # noqa: ASYNC110 - a process wakes nobody
                await asyncio.sleep(0.05)
    finally:
        trying.cancel()
        await asyncio.wait([trying])
    return member.alone[0]


@pytest.mark.parametrize(
    ("key", "is_an_outage"), [(GOOD, True), ("a", False)], ids=["away", "refused"]
)
async def test_only_servers_that_are_away_excuse_a_start_that_fails(
    key: str, is_an_outage: bool, tmp_path: Path
) -> None:
    clients = tmp_path / "clients.toml"
    clients.write_text('[[client]]\nid = "web"\n')
    settings = {
        "AUTHBUS_CLIENTS": str(clients),
        "AUTHBUS_INSTANCE": "service0",
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{free_port()}",
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        "AUTHBUS_MASTER_KEY": key,
        "AUTHBUS_HTTP_PORT": "0",
    }

    end = await end_of(settings, tmp_path)

    assert end.is_an_outage is is_an_outage, end
    assert (end.status, end.has_run) == (1, False)
