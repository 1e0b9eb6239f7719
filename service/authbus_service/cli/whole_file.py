"""A file that is there whole, or as it was before."""

import errno
import os
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from authbus_service.core.config import ConfigError


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What is written at `path` takes its place once it is on the disk; what was there stays.

    A link stays too: what is said here holds for the file that it leads to. A pipe or a device is
    written as it is.
    """

    path: Path

    def require(self) -> None:
        """Raise ConfigError when it cannot be written. What is there is not touched."""
        with _told(self.path):
            if _is_special(self.path):
                _require_special(self.path)
            else:
                new = _new(self.path.resolve())
                new.open("w").close()
                new.unlink()

    def write(self, pieces: Iterable[str]) -> None:
        """Write these; a file of before gets the next number behind its name.

        Raises ConfigError.
        """
        with _told(self.path):
            if _is_special(self.path):
                with self.path.open("w", encoding="utf-8") as file:
                    file.writelines(pieces)
                return
            path = self.path.resolve()
            new = _new(path)
            with new.open("w", encoding="utf-8") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                path.rename(_numbered(path))
            new.rename(path)
            folder = os.open(path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def _numbered(path: Path) -> Path:
    number = 1
    while (numbered := path.with_name(f"{path.name}.{number}")).exists():
        number += 1
    return numbered


@contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        told = f"{path} cannot be written: {error.strerror}. Give another file"
        raise ConfigError(told) from None


def _is_special(path: Path) -> bool:
    """Whether it leads to a pipe, a socket or a device. Raises OSError for a folder."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return not stat.S_ISREG(mode)


def _require_special(path: Path) -> None:
    """Raises OSError. A pipe is not opened for it: its reader would take that for the end."""
    if not stat.S_ISFIFO(path.stat().st_mode):
        os.close(os.open(path, os.O_WRONLY | os.O_NOCTTY))
    elif not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
