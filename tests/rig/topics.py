"""Topics of a test that is over: a broker can hold only so many."""

from aiokafka.admin import AIOKafkaAdminClient


async def forget(servers: str, namespace: str) -> None:
    """Delete every topic of this namespace.

    Each partition maps index files into the broker's memory, and of such maps a kernel allows a
    process 65,530 by default: all tests together need more.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        names = [name for name in await admin.list_topics() if name.startswith(f"{namespace}.")]
        if names:
            await admin.delete_topics(names)
    finally:
        await admin.close()
