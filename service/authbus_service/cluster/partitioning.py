"""Which partition a key lies on: as every client of Kafka chooses it.

Users' ids come again and again, and to hash a key takes the library as long as all else that the
relay does for a record.
"""

from collections.abc import Sequence
from functools import lru_cache

from aiokafka.partitioner import murmur2

_KEYS = 16_384
_POSITIVE = 0x7FFFFFFF


def partition_of(key: bytes, among: Sequence[int]) -> int:
    """One of these partitions, which are all that a topic has, in order."""
    return among[(_hashed(key) & _POSITIVE) % len(among)]


@lru_cache(maxsize=_KEYS)
def _hashed(key: bytes) -> int:
    return murmur2(key)
