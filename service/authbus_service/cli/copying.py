"""`authbus replay events --to-topic`; it imports little, so that it begins at once."""

import typer

from authbus_service.cli.options import a_second, announce, read, replay_id
from authbus_service.cli.output import show
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.core.ids import new_id
from authbus_service.reading.ranges import bound
from authbus_service.reading.records import Where
from authbus_service.replay.events import CopyReport, EventPlan, is_ours
from authbus_service.startup.copying import event_replay


def events_to_topic(
    to: str,
    begin: str,
    end: str | None,
    where: list[str],
    rate: str | None,
    *,
    dry_run: bool,
    resume: str | None,
) -> None:
    """Copy events, and print how many; exit 1 when one did not fit."""
    settings = load()
    if is_ours(to, settings.namespace):
        raise typer.BadParameter(f"{to} is a topic of authbus: facts are never told again there")
    plan = EventPlan(
        to=to,
        replay_id=new_id() if resume is None else read("--resume", resume, replay_id),
        begin=read("--from", begin, bound),
        end=None if end is None else read("--to", end, bound),
        where=read("--where", where, Where.read),
        rate=None if rate is None else read("--rate", rate, a_second),
        dry_run=dry_run,
        resumed=resume is not None,
    )
    announce(plan.replay_id, dry_run=dry_run)
    done = run_quietly(_copied(settings, plan))
    show(done.as_json())
    if not done.is_good:
        raise typer.Exit(Exit.LEFT)


async def _copied(settings: Settings, plan: EventPlan) -> CopyReport:
    with progress() as tell:
        async with event_replay(settings, tell) as replay:
            return await replay.run(plan)
