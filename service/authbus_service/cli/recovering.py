"""`authbus recover`."""

from pathlib import Path

from authbus_service.cli.output import report, say, say_in_pieces, show, to_a_person
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.cli.whole_file import WholeFile
from authbus_service.core.config import Settings, load
from authbus_service.embedded import warm
from authbus_service.recovery.recover import Keep
from authbus_service.recovery.report import Report
from authbus_service.startup.recovery import recovery
from authbus_service.startup.servers import needs_own_kafka, running_servers


def recover(*, dry_run: bool, into: Path | None) -> None:
    """Recover, print what was done, and write the report where it is wanted."""
    settings = load()
    if needs_own_kafka(settings):
        warm(report)
    keep = _kept(into)
    _show(run_quietly(_recover(settings, keep, dry_run=dry_run)))


def _kept(into: Path | None) -> Keep:
    """What is lost is told once, and must have a place: it is looked for before anything is done.

    Raises ConfigError.
    """
    if into is None:
        return lambda _: None
    file = WholeFile(into)
    file.require()
    return lambda found: file.write(found.pieces("\n"))


def _show(found: Report) -> None:
    if not to_a_person():
        say_in_pieces(found.pieces())
        return
    show({name: value for name, value in found.facts().items() if value})
    for each in found.each_lost():
        say(f"  lost: {each['what']} of user {each['user_id']}: {each['why']}")


async def _recover(settings: Settings, keep: Keep, *, dry_run: bool) -> Report:
    async with running_servers(settings, report) as servers:
        with progress() as tell:
            async with recovery(servers, tell, dry_run=dry_run) as found:
                return await found.run(dry_run=dry_run, keep=keep)
