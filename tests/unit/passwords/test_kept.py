"""What choosing a hash costs a process for good."""

import subprocess
import sys

import pytest

_GROWN = """
import psutil
from authbus_service.core.config import Settings
from authbus_service.startup.hashing import hash_pool

def resident():
    return psutil.Process().memory_info().rss

hash_pool(Settings(argon2_memory_kib=8)).close()
before = resident()
hash_pool(Settings(argon2_memory_kib=19456)).close()
print((resident() - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what an allocator keeps is its own affair")
def test_nothing_of_a_hashs_memory_is_kept_for_having_chosen_one() -> None:
    run = subprocess.run(
        (sys.executable, "-c", _GROWN), capture_output=True, text=True, check=True, timeout=60
    )

    assert int(run.stdout.split()[-1]) < 19456 / 2
