"""The limit: what the argon2-cffi wheel alone can verify, on all cores, with nothing around it."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher

_PASSWORD = "correct horse battery"


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
