"""The hash pool of a process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from authbus_service.core.config import Settings
from authbus_service.core.logging import get_logger
from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.compiled.library import load
from authbus_service.core.security.hash_pool import HashPool
from authbus_service.core.security.library import Library
from authbus_service.core.security.passwords import Hasher

_log = get_logger(__name__)


def hash_pool(
    settings: Settings, around: Callable[[], AbstractContextManager[None]] = nullcontext
) -> HashPool:
    """As it is set; where nothing is compiled, with the wheels' hash. It takes some hashes' time.

    Each hash runs inside `around`.
    """
    cost = Cost(settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism)
    compiled = load() if settings.hash == "compiled" else None
    if settings.hash == "compiled" and compiled is None:
        _log.warning("there is no compiled hash for this processor; make one: authbus hash build")
    hasher = _chosen(cost, compiled)
    _log.info("passwords are hashed", engine=hasher.engine, rate=round(hasher.rate, 1))
    return HashPool(hasher, threads=settings.hash_threads, around=around)


def _chosen(cost: Cost, compiled: Library | None) -> Hasher:
    """In a thread that ends: with it goes the memory that the compiled one keeps for it."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(Hasher, cost, compiled).result()
