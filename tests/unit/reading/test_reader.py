import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer import fetcher
from aiokafka.errors import KafkaConnectionError
from aiokafka.record import MemoryRecords

from authbus.kafka.batches import BoundedRecords
from authbus_service.cluster import Admin
from authbus_service.reading.ranges import reader

_SERVERS = "127.0.0.1:1"


async def test_what_ops_read_of_any_topic_is_read_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetcher, "MemoryRecords", MemoryRecords)

    admin = Admin(AIOKafkaAdminClient(bootstrap_servers=_SERVERS), _SERVERS, {})
    with pytest.raises(KafkaConnectionError):
        async with reader(admin):
            pass

    assert fetcher.MemoryRecords is BoundedRecords
