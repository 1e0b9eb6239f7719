"""Programs at a terminal, which show there how far they are."""

import asyncio
import os
import pty
import termios
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.rig import programs

_ROWS_AND_COLUMNS = (24, 100)
_MOST_SECONDS = 60


async def at_a_terminal(
    *arguments: str, settings: Mapping[str, str], folder: Path
) -> tuple[str, bytes, int]:
    """Run `authbus` to its end: what the terminal was told, its output, and its status."""
    environment = {**os.environ, **settings, "TERM": "xterm"}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, _ROWS_AND_COLUMNS)
    with os.fdopen(theirs, "wb") as errors:
        program = await programs.start(
            *arguments, environment=environment, folder=folder, errors=errors
        )
    shown, out = await asyncio.wait_for(
        asyncio.gather(asyncio.to_thread(all_of, ours), program.stdout.read()), _MOST_SECONDS
    )
    return shown, out, await program.wait()


def all_of(terminal: int) -> str:
    """What it was told until nobody had it open any more."""
    parts: list[bytes] = []
    with suppress(OSError):  # how a terminal says that it was the end
        while part := os.read(terminal, 65_536):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()
