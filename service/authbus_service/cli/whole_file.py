"""A file that is there whole, or as it was before."""

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from authbus_service.core.config import ConfigError


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What is written at `path` takes its place once it is on the disk; what was there stays.

    A pipe or a device is written as it is.
    """

    path: Path

    @property
    def _new(self) -> Path:
        return self.path.with_name(f"{self.path.name}.new")

    def require(self) -> None:
        """Raise ConfigError when it cannot be written."""
        with _told(self.path):
            if _is_special(self.path):
                self.path.open("w").close()
            else:
                self._new.open("w").close()
                self._new.unlink()

    def write(self, text: str) -> None:
        """Write it; a file of before gets the next number behind its name. Raises ConfigError."""
        with _told(self.path):
            if _is_special(self.path):
                self.path.write_text(text, encoding="utf-8")
                return
            with self._new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if self.path.exists():
                self.path.rename(self._numbered())
            self._new.rename(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def _numbered(self) -> Path:
        number = 1
        while (path := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        return path


@contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        told = f"{path} cannot be written: {error.strerror}. Give another file"
        raise ConfigError(told) from None


def _is_special(path: Path) -> bool:
    try:
        return not stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
