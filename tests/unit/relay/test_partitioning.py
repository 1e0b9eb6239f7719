"""A key lies where every client of Kafka puts it, however often it is asked for."""

from random import Random

from aiokafka.partitioner import DefaultPartitioner

from authbus_service.cluster.partitioning import partition_of


def test_a_key_lies_where_the_default_partitioner_puts_it() -> None:
    of, default = Random(7), DefaultPartitioner()
    keys = [of.randbytes(of.randrange(1, 40)) for _ in range(500)]

    for among in ([0], [0, 1, 2], list(range(12))):
        for _ in range(2):
            assert [partition_of(each, among) for each in keys] == [
                default(each, among, among) for each in keys
            ]
