"""Writes the Go example's types of events anew. Run by `make go-events`."""

import asyncio
import sys

from tests.rig import go_types
from tests.rig.foreign import REPOSITORY


async def write() -> None:
    """Make them and put them where they are checked in."""
    made = await go_types.events(await go_types.tools())
    go_types.CHECKED_IN.write_text(made, encoding="utf-8")
    sys.stdout.write(f"{go_types.CHECKED_IN.relative_to(REPOSITORY)}\n")


if __name__ == "__main__":
    asyncio.run(write())
