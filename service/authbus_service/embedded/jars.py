"""Fetch the locked jars, several at once, and put them into the cache as one folder.

A file is believed when its size and SHA-256 are those of the lock; the folder appears in the cache
by one rename, so that it is there whole or not at all.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

from authbus_service.embedded import settings
from authbus_service.embedded.errors import DownloadError
from authbus_service.embedded.jar_lock import Jar, JarLock
from authbus_service.embedded.packages import folder

if TYPE_CHECKING:
    from jgo.maven import MavenContext

SCRATCH = "download-"
_THREADS = 8
_ATTEMPTS = 2
_REQUEST_SECONDS = 30
_MEGABYTE = 1_000_000
_PROGRESS_STEPS = 4


def complete(target: Path, lock: JarLock) -> bool:
    """Whether the folder holds every jar of the lock in its size."""
    try:
        return all((target / jar.file_name).stat().st_size == jar.size for jar in lock.jars)
    except OSError:
        return False


def fetch(lock: JarLock, target: Path, report: Callable[[str], None]) -> None:
    """Download what the lock names into `target`; raise DownloadError and leave nothing else."""
    report(
        f"Downloading Apache Kafka {lock.version}: {len(lock.jars)} files, "
        f"{lock.size / _MEGABYTE:.1f} MB, once"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=SCRATCH) as scratch:
        whole = Path(scratch) / "jars"
        whole.mkdir()
        _fetch_all(lock, Path(scratch) / "repository", whole, report)
        shutil.rmtree(target, ignore_errors=True)
        whole.rename(target)


def _fetch_all(lock: JarLock, repository: Path, whole: Path, report: Callable[[str], None]) -> None:
    folder("jgo")
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import, needed once

    context = MavenContext(
        repo_cache=repository,
        remote_repos=settings.maven_repositories(),
        timeout=_REQUEST_SECONDS,
    )
    done, step = 0, 0
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting = {pool.submit(_fetch_one, context, jar, whole): jar for jar in lock.jars}
        try:
            for finished in as_completed(waiting):
                finished.result()
                done += waiting[finished].size
                if done * _PROGRESS_STEPS // lock.size > step:
                    step = done * _PROGRESS_STEPS // lock.size
                    report(f"  {done / _MEGABYTE:.1f} of {lock.size / _MEGABYTE:.1f} MB")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _fetch_one(context: "MavenContext", jar: Jar, whole: Path) -> None:
    group, artifact, version = jar.gav.split(":")
    wanted = context.project(group, artifact).at_version(version).artifact()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            found = wanted.resolve()
        except (OSError, RuntimeError) as error:
            if attempt == _ATTEMPTS:
                raise DownloadError(_unreachable(jar, error)) from error
            if wanted.cached_path is not None:
                wanted.cached_path.unlink(missing_ok=True)
        else:
            _check(jar, found)
            found.rename(whole / jar.file_name)
            return


def _check(jar: Jar, found: Path) -> None:
    content = found.read_bytes()
    if len(content) != jar.size or hashlib.sha256(content).hexdigest() != jar.sha256:
        msg = (
            f"{jar.gav} is not the file that was locked: {len(content)} bytes instead of "
            f"{jar.size}, or another SHA-256. Nothing was kept. Something between here and the "
            "repository changes files, or the mirror is wrong."
        )
        raise DownloadError(msg)


def _unreachable(jar: Jar, error: Exception) -> str:
    return (
        f"could not download {jar.gav}: {error}\n"
        "The jars of Apache Kafka are fetched once and are not in the cache yet. Check the "
        "network, or name a mirror with AUTHBUS_MAVEN_REPOSITORY."
    )
