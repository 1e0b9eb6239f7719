"""Locks between processes, held by an open file.

The kernel lets a lock go when the last process that has the file open ends. A lock handed to
child processes therefore outlives a parent that was killed, until the children are gone too.
"""

import fcntl
import os
import time
from pathlib import Path

_POLL_SECONDS = 0.02


class Lock:
    """An exclusive lock on a path; the file holds the owner's process id."""

    def __init__(self, path: Path) -> None:
        """Name the file; nothing is opened yet."""
        self._path = path
        self._file: int | None = None

    def fileno(self) -> int:
        """Return the descriptor to hand to children; raise ValueError when nothing is held."""
        if self._file is None:
            msg = f"{self._path} is not locked"
            raise ValueError(msg)
        return self._file

    def try_acquire(self) -> bool:
        """Take the lock now, or return False when another process holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file
        return True

    def acquire(self) -> None:
        """Take the lock, however long that takes."""
        while not self.try_acquire():
            time.sleep(_POLL_SECONDS)

    def owner(self) -> int | None:
        """Return the process id of the last owner, None when it has ended or is unknown."""
        text = self._path.read_text()
        try:
            os.kill(int(text), 0)
        except PermissionError:
            return int(text)
        except (ProcessLookupError, ValueError):
            return None
        return int(text)

    def release(self) -> None:
        """Let go; harmless when nothing is held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
