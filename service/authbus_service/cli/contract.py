"""`authbus spec`."""

from pathlib import Path

import typer

from authbus import specification
from authbus_service.cli.output import report, say


def spec(folder: Path | None, *, check: bool) -> None:
    """Write what is stale, or only tell it and exit 1."""
    where = folder or specification.FOLDER
    if not check:
        for path in specification.write(where):
            say(str(path))
        return
    found = specification.stale(where)
    for path in found:
        say(path)
    if found:
        report("authbus: these spec files are stale. Write them: authbus spec")
        raise typer.Exit(1)
