"""The pool is as wide as our cores, bounded, and drops what nobody waits for."""

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from authbus_service.core.security.argon2id import Cost
from authbus_service.core.security.cores import usable_cores
from authbus_service.core.security.hash_pool import HashPool, HashPoolFullError
from authbus_service.core.security.passwords import Hasher, Verified

RIGHT = "correct horse battery"


class SlowHasher(Hasher):
    """A hasher that works only while the gate is open."""

    def __init__(self) -> None:
        super().__init__(Cost(8, 1))
        self.rate = 50.0
        self.begun, self.open = threading.Event(), threading.Event()
        self.done: list[str] = []

    def verify(self, phc: str | None, password: str) -> Verified:
        self.begun.set()
        self.open.wait(10)
        self.done.append(password)
        return super().verify(phc, password)


@pytest.fixture
def slow() -> Iterator[SlowHasher]:
    hasher = SlowHasher()
    yield hasher
    hasher.open.set()


async def test_the_pool_hashes_and_verifies() -> None:
    pool = HashPool(Hasher(Cost(8, 1)), threads=2)

    phc = await pool.hash(RIGHT, bytes(16))

    assert phc == await pool.hash(RIGHT, bytes(16))
    assert await pool.verify(phc, RIGHT) == Verified(ok=True)
    assert await pool.verify(phc, "x") == Verified(ok=False)
    assert await pool.verify(None, RIGHT) == Verified(ok=False)
    assert (pool.queued, pool.wait_seconds) == (0, 0.0)
    pool.close()


async def test_what_waits_is_counted_timed_and_bounded(slow: SlowHasher) -> None:
    pool = HashPool(slow, threads=2, bound=3)
    waiting = [asyncio.create_task(pool.verify(None, str(n))) for n in range(5)]
    await asyncio.sleep(0)

    assert pool.queued == 3
    assert pool.wait_seconds == pytest.approx(4 / (50 * 2))
    with pytest.raises(HashPoolFullError):
        await pool.verify(None, "one too many")

    slow.open.set()
    await asyncio.gather(*waiting)
    assert (pool.queued, pool.wait_seconds) == (0, 0.0)
    assert "one too many" not in slow.done
    pool.close()


async def test_a_wait_is_told_by_what_hashes_take_now_not_by_what_they_took_when_alone(
    slow: SlowHasher,
) -> None:
    pool = HashPool(slow, threads=1)
    first = asyncio.create_task(pool.verify(None, "x"))
    await asyncio.to_thread(slow.begun.wait, 10)
    await asyncio.sleep(0.4)
    slow.open.set()
    await first
    slow.open.clear()
    waiting = [asyncio.create_task(pool.verify(None, "x")) for _ in range(3)]
    await asyncio.sleep(0)

    # At the start a hash took 0.02 s, the last one 0.4 s.
    assert pool.wait_seconds > 3 * (0.02 + 0.39) / 2

    slow.open.set()
    await asyncio.gather(*waiting)
    pool.close()


async def test_a_hash_that_nobody_waits_for_any_more_is_not_made(slow: SlowHasher) -> None:
    pool = HashPool(slow, threads=1)
    kept = asyncio.create_task(pool.verify(None, "kept"))
    dropped = asyncio.create_task(pool.verify(None, "dropped"))
    await asyncio.sleep(0)

    dropped.cancel()
    await asyncio.wait([dropped])
    queued = pool.queued
    slow.open.set()
    await kept
    pool.close()

    assert queued == 0
    assert slow.done == ["kept"]


async def test_the_loop_goes_on_while_hashes_are_made() -> None:
    pool = HashPool(Hasher(Cost(19456, 2)), threads=1)
    work = asyncio.gather(*(pool.verify(None, RIGHT) for _ in range(5)))

    ticks = 0
    while not work.done():
        await asyncio.sleep(0.001)
        ticks += 1

    assert ticks > 5
    pool.close()


def test_the_pool_is_as_wide_as_the_usable_cores() -> None:
    pool = HashPool(Hasher(Cost(8, 1)))

    assert pool.width == usable_cores()
    pool.close()


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 8),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "300000 100000\n"}, 3),
        ({"proc/self/cgroup": "0::/a:b\n", "sys/fs/cgroup/cpu.max": "30000 100000\n"}, 1),
        (
            {
                "proc/self/cgroup": "4:memory:/x\n3:cpuacct,cpu:/docker/x\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "160000\n",
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "3:cpu:/\n0::/\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            8,
        ),
    ],
)
def test_cores_are_those_of_affinity_and_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], cores: int
) -> None:
    def affinity(pid: int) -> set[int]:
        return set(range(8))

    monkeypatch.setattr("os.sched_getaffinity", affinity)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    assert usable_cores(tmp_path) == cores


async def test_hashing_gives_way_to_the_event_loop() -> None:
    pool = HashPool(Hasher(Cost(8, 1)), threads=1)

    await pool.hash(RIGHT)
    (hashing,) = (each for each in threading.enumerate() if each.name.startswith("hash"))

    assert os.getpriority(os.PRIO_PROCESS, hashing.native_id or 0) > os.getpriority(
        os.PRIO_PROCESS, threading.get_native_id()
    )
    pool.close()


async def test_a_commit_may_wait_for_company_only_while_hashes_queue(slow: SlowHasher) -> None:
    pool = HashPool(slow, threads=1)
    idle = pool.slack_seconds

    waiting = [asyncio.create_task(pool.verify(None, RIGHT)) for _ in range(4)]
    await asyncio.sleep(0)
    busy = pool.slack_seconds
    slow.open.set()
    await asyncio.gather(*waiting)

    assert idle == 0
    assert 0 < busy <= 0.1
    pool.close()


async def test_to_pretend_takes_the_queues_wait_and_a_hashs_time_and_hashes_nothing(
    slow: SlowHasher,
) -> None:
    pool = HashPool(slow, threads=1)
    waiting = [asyncio.create_task(pool.verify(None, RIGHT)) for _ in range(4)]
    await asyncio.sleep(0)
    clocked = asyncio.get_running_loop().time

    began, queue = clocked(), pool.wait_seconds
    await pool.pretend()
    took = clocked() - began
    slow.open.set()
    await asyncio.gather(*waiting)

    assert took >= queue + 1 / slow.rate > 0.05
    assert len(slow.done) == 4
    pool.close()
