"""`authbus spec`."""

from pathlib import Path

import typer

from authbus import specification
from authbus_service.cli.output import report, say
from authbus_service.cli.pages import catalogue, settings_page
from authbus_service.core.exit_status import Exit


def spec(folder: Path | None, *, check: bool) -> None:
    """Write what is stale, or only tell it and exit 1."""
    where = folder or specification.FOLDER
    more = {each.NAME: each.as_markdown() for each in (catalogue, settings_page)}
    if not check:
        for path in specification.write(where, more):
            say(str(path))
        return
    found = specification.stale(where, more)
    for path in found:
        say(path)
    if found:
        report("authbus: these spec files are stale. Write them: authbus spec")
        raise typer.Exit(Exit.LEFT)
