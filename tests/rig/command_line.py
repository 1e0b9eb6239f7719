"""`authbus` as an operator runs it."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from tests.rig import programs


async def authbus(
    settings: Mapping[str, str], *arguments: str, given: str = "", within: float = 60
) -> tuple[int, str, str]:
    """Run a command with these settings to its end: its status, output and errors."""
    environment = {**os.environ, **settings}
    child = await programs.start(
        *arguments, environment=environment, folder=Path.cwd(), given=given
    )
    try:
        out, err = await asyncio.wait_for(child.communicate(), within)
    finally:
        child.kill()  # it has ended, unless it was too slow
    return child.returncode or 0, out.decode(), err.decode()
