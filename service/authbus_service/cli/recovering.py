"""`authbus recover`."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TextIO

from authbus_service.cli.output import report, say, show, to_a_person
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import ConfigError, Settings, load
from authbus_service.embedded import warm
from authbus_service.recovery.report import Report
from authbus_service.startup.recovery import recovery
from authbus_service.startup.servers import needs_own_kafka, running_servers


def recover(*, dry_run: bool, into: Path | None) -> None:
    """Recover, print what was done, and write the report where it is wanted."""
    settings = load()
    if needs_own_kafka(settings):
        warm(report)
    with nullcontext() if into is None else _opened(into) as file:
        found = run_quietly(_recover(settings, dry_run))
        _show(found)
        if file is not None:
            json.dump(found.as_json(), file, indent=1)


def _opened(into: Path) -> TextIO:
    """Before anything is done: what is lost is told once, and must have a place."""
    try:
        return into.open("w")
    except OSError as error:
        raise ConfigError(
            f"{into} cannot be written: {error.strerror}. Give another file"
        ) from None


def _show(found: Report) -> None:
    if not to_a_person():
        say(json.dumps(found.as_json()))
        return
    facts = found.as_json()
    lost = facts.pop("lost")
    show({name: value for name, value in facts.items() if value})
    for each in lost:
        say(f"  lost: {each['what']} of user {each['user_id']}: {each['why']}")


async def _recover(settings: Settings, dry_run: bool) -> Report:
    async with running_servers(settings, report) as servers:
        with progress() as tell:
            async with recovery(servers, tell) as found:
                return await found.run(dry_run=dry_run)
