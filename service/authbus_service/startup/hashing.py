"""The hash pool of a command that runs beside the services."""

from authbus_service.core.config import Settings
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.compiled.library import load
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.passwords import Hasher


def hash_pool(settings: Settings) -> HashPool:
    """As it is set; where nothing is compiled, with the wheels' hash."""
    cost = Cost(settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism)
    compiled = load() if settings.hash == "compiled" else None
    return HashPool(Hasher(cost, compiled), threads=settings.hash_threads)
