"""The clock of a service, which jumps where a file says so. The service knows nothing of it."""

import os
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from uuid import UUID

from authbus_service.core import clock, ids

_MILLISECOND = timedelta(milliseconds=1)
_MS_OF_AN_ID = 80


def ordered(folder: Path, instance: str) -> Path:
    """The file that says by how many seconds this instance's clock is wrong."""
    return folder / f"clock-of-{instance}"


def seen(there: Path) -> Path:
    """What the instance leaves when it has looked at a clock that is wrong."""
    return there.with_suffix(".seen")


def obey(folder: Path) -> None:
    """From now on this process's clock is wrong while that is ordered."""
    there = ordered(folder, os.environ["AUTHBUS_INSTANCE"])

    def wrong_by() -> timedelta:
        with suppress(FileNotFoundError):
            found = timedelta(seconds=float(there.read_text(encoding="ascii")))
            seen(there).touch()
            return found
        return timedelta()

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + wrong_by()

    time_of, made, make = _any(clock), _any(ids), ids.uuid7
    time_of.datetime = Wrong
    made.uuid7 = lambda: UUID(int=make().int + (wrong_by() // _MILLISECOND << _MS_OF_AN_ID))


def _any(of: object) -> Any:
    return of
