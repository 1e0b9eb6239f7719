"""`authbus` as an operator runs it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping


async def authbus(
    settings: Mapping[str, str], *arguments: str, given: str = ""
) -> tuple[int, str, str]:
    """Run a command with these settings to its end: its status, output and errors."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "authbus_service", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={**os.environ, **settings},
    )
    out, err = await asyncio.wait_for(child.communicate(given.encode()), 60)
    return child.returncode or 0, out.decode(), err.decode()
