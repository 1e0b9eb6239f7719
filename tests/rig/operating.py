"""A world that the command line can be run on."""

# pyright: reportPrivateUsage=false

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import text

from authbus_service.cluster import Admin
from tests.rig.world import World

_CLIENTS = Path(__file__).resolve().parents[2] / "deploy" / "clients.toml"


async def settings_of(world: World) -> Mapping[str, str]:
    """Settings of this world, which from now on belongs to the cluster that it is on."""
    async with Admin.connect(world.servers, {}) as admin:
        cluster_id, _ = await admin.describe()
    async with world.database.transaction() as db:
        await db.execute(text("UPDATE installation SET cluster_id = :id"), {"id": cluster_id})
    url = world.database.engine.url.render_as_string(hide_password=False)
    return {
        "KAFKA_BOOTSTRAP_SERVERS": world.servers,
        "DATABASE_URL": url.replace("+asyncpg", ""),
        "AUTHBUS_NAMESPACE": world.namespace,
        "AUTHBUS_CLIENTS": str(_CLIENTS),
        "AUTHBUS_MASTER_KEY": ",".join(each.hex() for each in world.masters._keys.values()),
    }
