"""How many cores are ours: of the machine, of the affinity mask, of the container's quota."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_V1_MOUNTS = ("cpu", "cpu,cpuacct")


def usable_cores(root: Path = Path("/")) -> int:
    """The least of cores, affinity and cgroup quota (v1 or v2), and at least one.

    A quota counts in whole cores, rounded: 1.6 is 2, 0.3 is 1.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min([cores, *(round(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        mounts = _V1_MOUNTS if "cpu" in controllers.split(",") else ()
        for mount in ("",) if not controllers else mounts:
            for folder in _upwards(root / "sys/fs/cgroup" / mount, path):
                quota = _quota(folder)
                if quota is not None:
                    yield quota


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """Every group from ours to the root; inside a container our own path may not be mounted."""
    ours = PurePosixPath(path.lstrip("/"))
    yield from (mount / group for group in (ours, *ours.parents))


def _quota(folder: Path) -> float | None:
    written = _text(folder / "cpu.max").split() or [
        _text(folder / "cpu.cfs_quota_us").strip(),
        _text(folder / "cpu.cfs_period_us").strip(),
    ]
    try:
        quota, period = (int(number) for number in written)
    except ValueError:
        return None
    return quota / period if quota > 0 and period > 0 else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
