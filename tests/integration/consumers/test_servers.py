"""One of several servers is enough to find the cluster."""

from authbus_service.consumers.broker import broker
from authbus_service.embedded.ports import free
from authbus_service.embedded.stack import Addresses


async def test_a_cluster_is_found_by_whichever_of_its_servers_is_there(
    addresses: Addresses,
) -> None:
    (nobody,) = free(1)
    one = broker(f"127.0.0.1:{nobody}, {addresses.bootstrap_servers}", {})

    await one.connect()
    found = await one.ping(5)
    await one.stop()

    assert found
