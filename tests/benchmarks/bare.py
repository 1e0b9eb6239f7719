"""The limit: what the argon2-cffi wheel alone can verify, on all cores, with nothing around it.

And what one hash costs where nothing else runs, of each engine.
"""

import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

from authbus_service.core.security.passwords import Hasher

_PASSWORD = "correct horse battery"
_HASHES = 30


def verifies_a_second(seconds: float, *, memory_kib: int, passes: int) -> float:
    """Verifications a second in as many threads as there are cores."""
    hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
    phc = hasher.hash(_PASSWORD)
    end = time.perf_counter() + seconds
    cores = len(os.sched_getaffinity(0))

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < end:
            hasher.verify(phc, _PASSWORD)
            done += 1
        return done

    began = time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        done = sum(pool.map(work, range(cores)))
    return done / (time.perf_counter() - began)


def a_hash(hasher: Hasher) -> tuple[float, float]:
    """Milliseconds of CPU for one hash, and of them in the kernel: pages that are mapped anew."""
    hasher.hash(_PASSWORD)
    before = resource.getrusage(resource.RUSAGE_THREAD)
    for _ in range(_HASHES):
        hasher.hash(_PASSWORD)
    after = resource.getrusage(resource.RUSAGE_THREAD)
    kernel = after.ru_stime - before.ru_stime
    whole = after.ru_utime - before.ru_utime + kernel
    return 1000 * whole / _HASHES, 1000 * kernel / _HASHES
