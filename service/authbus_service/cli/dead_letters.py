"""`authbus dead-letters`: what lies there, why, and what becomes of it."""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

import typer

from authbus.envelope import read_headers
from authbus.state import Closing, DeadLetterReason
from authbus.topics import COMMAND_TOPICS
from authbus_service.cli.output import report, show, show_rows
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.core.log_values import clean
from authbus_service.embedded import warm
from authbus_service.outbox.records import OUTBOX
from authbus_service.reading.ranges import bound
from authbus_service.replay.letters import Open, Which, by_reason
from authbus_service.replay.redriving import is_good
from authbus_service.startup.errors import StartupError
from authbus_service.startup.redriving import dead_letters, redriving
from authbus_service.startup.servers import needs_own_kafka, running_servers

# What became of how many, and which those were.
_Redriven = tuple[Counter[str], list[Open]]


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
    for each in reasons:
        _require_known("--reason", each, list(DeadLetterReason))
    bare = None if topic is None else topic.removeprefix(f"{settings.namespace}.")
    if bare is not None:
        _require_known("--topic", bare, [*(each.suffix for each in COMMAND_TOPICS), OUTBOX])
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
    counts, selected = run_quietly(_redriven(settings, which, dry_run))
    show({"selected": counts.total(), **counts})
    _require_open(ids, selected)
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
    selected = run_quietly(_discarded(settings, which, dry_run))
    show({"would_be_discarded" if dry_run else "discarded": len(selected)})
    _require_open(ids, selected)


def _require_known(option: str, given: str, known: Collection[str]) -> None:
    """A name with a letter wrong lets nothing through, which would look as if all were well."""
    if given not in known:
        told = f"{given!r} is none of {', '.join(known)}"
        raise typer.BadParameter(told, param_hint=option)


def _require_open(ids: Iterable[UUID], selected: Iterable[Open]) -> None:
    """Raise StartupError for named ones that were not there; what is there has been done."""
    there = {each.id for each in selected}
    missing = ", ".join(str(each) for each in dict.fromkeys(ids) if each not in there)
    if missing:
        raise StartupError(
            f"no such open dead letter: {missing}. See: authbus dead-letters list --each"
        )


async def _open(settings: Settings, which: Which) -> list[Open]:
    async with dead_letters(settings) as (letters, _):
        return await letters.open_ones(which)


async def _shown(settings: Settings, id_: UUID) -> dict[str, Any]:
    async with dead_letters(settings) as (letters, originals):
        found = await letters.open_ones(Which(ids=[id_]))
        _require_open([id_], found)
        came = await originals.of(found[0].letter)
    row = found[0].row() | {"digest": found[0].letter.digest, "is_still_there": came is not None}
    said = {} if came is None else clean(read_headers(came.headers))
    return row | {"headers": said}


async def _redriven(settings: Settings, which: Which, dry_run: bool) -> _Redriven:
    async with running_servers(settings, report) as servers:
        with progress() as tell:
            async with redriving(servers, tell, dry_run=dry_run) as work:
                selected = await work.letters.open_ones(which)
                return await work.run(selected, dry_run=dry_run), selected


async def _discarded(settings: Settings, which: Which, dry_run: bool) -> list[Open]:
    async with dead_letters(settings) as (letters, _):
        found = await letters.open_ones(which)
        if not dry_run:
            await letters.close((each, Closing.DISCARDED, None) for each in found)
    return found
