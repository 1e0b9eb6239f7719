"""Everything that a database holds, and how far topics go: to be compared with itself."""

from aiokafka import AIOKafkaConsumer
from sqlalchemy import text

from authbus.topics import Topic
from authbus_service.core.database import Database
from tests.rig.topics import places

# They move with every record that is passed and every second, whatever it was.
MOVING = ("fence", "relay_lease")
_ROWS = "SELECT (to_jsonb(t) - 'outbox_floor')::text FROM {name} t ORDER BY 1"
_TABLES = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition
"""


async def dumped(database: Database) -> dict[str, list[str]]:
    """The rows of every table, sorted, but for what moves."""
    async with database.reading() as db:
        names = set(await db.scalars(text(_TABLES))) - set(MOVING)
        return {
            name: list(await db.scalars(text(_ROWS.format(name=f'"{name}"'))))
            for name in sorted(names)
        }


async def ends_of(servers: str, topic: Topic, namespace: str) -> dict[int, int]:
    """Where each partition of a topic ends."""
    of_topic = await places(servers, topic, namespace)
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        ends = await consumer.end_offsets(of_topic)
        return {each.partition: end for each, end in ends.items()}
