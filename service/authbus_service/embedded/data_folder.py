"""The folder in which a stack lives, held by one run at a time.

The lock's file is handed to the servers, so that it is held until the last of them has ended.
"""

import asyncio
import os
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from authbus_service.embedded.errors import DataInUseError, EmbeddedError
from authbus_service.embedded.locks import Lock

_PREFIX = "authbus-embedded-"
_LOCK = "stack.lock"
_MEMORY = Path("/dev/shm")  # noqa: S108 - each folder in it is made by mkdtemp
_ROOM = 8 << 30
_POLL_SECONDS = 0.05
_CHILDREN_END_SECONDS = 20.0
_UNLOCKED_SECONDS = 60.0


class DataFolder:
    """A kept folder, or a temporary one that goes away."""

    def __init__(self, kept: Path | None) -> None:
        """Name the folder; None makes a temporary one when it is claimed."""
        self.kept = kept is not None
        self._path = None if kept is None else kept.expanduser().resolve()
        self._lock: Lock | None = None

    @property
    def path(self) -> Path:
        """The folder; raise RuntimeError before a temporary one was made."""
        if self._path is None:
            msg = "the embedded stack has not been started"
            raise RuntimeError(msg)
        return self._path

    async def claim(self) -> tuple[int, ...]:
        """Make and lock the folder, return the descriptor that children shall keep open.

        Raises DataInUseError when another run lives there, EmbeddedError when we may not.
        """
        if not self.kept:
            _sweep()
            self._path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_roomy_memory()))
            # PostgreSQL passes through when root has to start it as another user.
            self._path.chmod(0o711)
        lock = Lock(self.path / _LOCK)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            await self._take(lock)
        except OSError as error:
            msg = (
                f"the data folder {self.path} cannot be used: {error.strerror}. "
                "Mend that, or set AUTHBUS_DATA to another folder"
            )
            raise EmbeddedError(msg) from None
        self._lock = lock
        return (lock.fileno(),)

    async def _take(self, lock: Lock) -> None:
        deadline = time.monotonic() + _CHILDREN_END_SECONDS
        while not lock.try_acquire():
            owner = lock.owner()
            if owner is not None:
                msg = (
                    f"{self.path} is in use: process {owner} runs an embedded stack there. "
                    "End it, or set AUTHBUS_DATA"
                )
                raise DataInUseError(msg)
            if time.monotonic() > deadline:
                msg = (
                    f"servers of a run that ended are still at work in {self.path}. "
                    "Wait for them, or end them"
                )
                raise DataInUseError(msg)
            await asyncio.sleep(_POLL_SECONDS)

    def leave(self) -> None:
        """Let the folder go; a temporary one is removed."""
        if self._lock is None:
            return
        if not self.kept:
            shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        self._lock = None


def _roomy_memory() -> Path | None:
    """A file system in memory, for what nobody keeps; None where it is small or runs no code.

    The broker loads libraries from its folder.
    """
    try:
        found = os.statvfs(_MEMORY)
    except OSError:
        return None
    runs_code = not found.f_flag & os.ST_NOEXEC
    free = found.f_bavail * found.f_frsize
    if runs_code and free >= _ROOM and os.access(_MEMORY, os.W_OK | os.X_OK):
        return _MEMORY
    return None


def _sweep() -> None:
    """Remove what killed runs left; only our own folders, for others could set a trap in theirs."""
    places = (Path(tempfile.gettempdir()), _MEMORY)
    for old in (each for place in places for each in place.glob(f"{_PREFIX}*")):
        lock = Lock(old / _LOCK)
        with suppress(OSError):
            found = old.lstat()
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            # A folder that was made a moment ago may not be locked yet.
            aged = time.time() - found.st_mtime > _UNLOCKED_SECONDS
            if ours and aged and lock.try_acquire():
                shutil.rmtree(old, ignore_errors=True)
                lock.release()
