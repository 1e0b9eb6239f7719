"""`authbus dead-letters`: what lies there, why, and what becomes of it."""

from collections import Counter
from collections.abc import Collection
from typing import Any
from uuid import UUID

import typer

from authbus.envelope import read_headers
from authbus.state import Closing
from authbus_service.cli.output import report, show, show_rows
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.core.log_values import clean
from authbus_service.embedded import warm
from authbus_service.reading.ranges import bound
from authbus_service.replay.letters import Open, Which, by_reason
from authbus_service.replay.redriving import is_good
from authbus_service.startup.errors import StartupError
from authbus_service.startup.redriving import dead_letters, redriving
from authbus_service.startup.servers import needs_own_kafka, running_servers


def chosen(
    settings: Settings,
    ids: Collection[UUID],
    reasons: Collection[str],
    topic: str | None,
    since: str | None,
) -> Which:
    """The filter of the options. Exit 2 for one that is wrong."""
    try:
        at = None if since is None else bound(since)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    if isinstance(at, int):
        raise typer.BadParameter("a time, like 2026-03-01T02:00:00", param_hint="--since")
    bare = None if topic is None else topic.removeprefix(f"{settings.namespace}.")
    return Which(ids, reasons, bare, at)


def list_letters(
    reasons: Collection[str], topic: str | None, since: str | None, *, each: bool
) -> None:
    """Print the open ones by reason, or each."""
    settings = load()
    found = run_quietly(_open(settings, chosen(settings, (), reasons, topic, since)))
    show_rows([one.row() for one in found] if each else by_reason(found))


def show_letter(id_: UUID) -> None:
    """Print one: where its record lies, why, and what that record's headers say; never a body."""
    show(run_quietly(_shown(load(), id_)))


def redrive(
    ids: Collection[UUID],
    reasons: Collection[str],
    topic: str | None,
    since: str | None,
    *,
    dry_run: bool,
) -> None:
    """Handle these here, and print what became of them; exit 1 when some stay open."""
    settings = load()
    which = chosen(settings, ids, reasons, topic, since)
    if needs_own_kafka(settings):
        warm(report)
    counts = run_quietly(_redriven(settings, which, dry_run))
    show({"selected": counts.total(), **counts})
    if not is_good(counts):
        raise typer.Exit(Exit.LEFT)


def discard(
    ids: Collection[UUID],
    reasons: Collection[str],
    topic: str | None,
    since: str | None,
    *,
    dry_run: bool,
) -> None:
    """Close these as they are."""
    settings = load()
    which = chosen(settings, ids, reasons, topic, since)
    count = run_quietly(_discarded(settings, which, dry_run))
    show({"would_be_discarded" if dry_run else "discarded": count})


async def _open(settings: Settings, which: Which) -> list[Open]:
    async with dead_letters(settings) as (letters, _):
        return await letters.open_ones(which)


async def _shown(settings: Settings, id_: UUID) -> dict[str, Any]:
    async with dead_letters(settings) as (letters, originals):
        found = await letters.open_ones(Which(ids=[id_]))
        if not found:
            raise StartupError(f"no open dead letter {id_}. See: authbus dead-letters list --each")
        came = await originals.of(found[0].letter)
    row = found[0].row() | {"digest": found[0].letter.digest, "is_still_there": came is not None}
    said = {} if came is None else clean(read_headers(came.headers))
    return row | {"headers": said}


async def _redriven(settings: Settings, which: Which, dry_run: bool) -> Counter[str]:
    async with running_servers(settings, report) as servers:
        with progress() as tell:
            async with redriving(servers, tell, dry_run=dry_run) as work:
                return await work.run(await work.letters.open_ones(which), dry_run=dry_run)


async def _discarded(settings: Settings, which: Which, dry_run: bool) -> int:
    async with dead_letters(settings) as (letters, _):
        found = await letters.open_ones(which)
        if not dry_run:
            await letters.close((each, Closing.DISCARDED, None) for each in found)
    return len(found)
