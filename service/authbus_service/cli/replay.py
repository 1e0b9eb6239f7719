"""`authbus replay`."""

from dataclasses import asdict

import typer

from authbus.topics import COMMAND_TOPICS, Topic
from authbus_service.cli.options import a_second, announce, read, replay_id
from authbus_service.cli.output import report, show, show_rows
from authbus_service.cli.progress import progress
from authbus_service.cli.running import run_quietly
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.core.ids import new_id
from authbus_service.embedded import warm
from authbus_service.reading.ranges import Bound, bound
from authbus_service.reading.records import Where
from authbus_service.replay.commands import Plan
from authbus_service.replay.groups import Move
from authbus_service.replay.summary import Summary
from authbus_service.startup.replaying import command_replay, group_replay
from authbus_service.startup.servers import needs_own_kafka, running_servers


def commands(
    topic: str,
    begin: str,
    end: str | None,
    where: list[str],
    rate: str | None,
    *,
    wait: float,
    dry_run: bool,
    resume: str | None,
) -> None:
    """Replay, and print the summary; exit 1 when something is left to look at."""
    settings = load()
    plan = Plan(
        topic=_topic(topic, settings.namespace),
        replay_id=new_id() if resume is None else read("--resume", resume, replay_id),
        begin=read("--from", begin, bound),
        end=None if end is None else read("--to", end, bound),
        where=read("--where", where, Where.read),
        rate=None if rate is None else read("--rate", rate, a_second),
        wait=wait,
        dry_run=dry_run,
        resumed=resume is not None,
    )
    if needs_own_kafka(settings):
        warm(report)
    announce(plan.replay_id, dry_run=dry_run)
    summary = run_quietly(_replayed(settings, plan))
    show(summary.as_json())
    if summary.waiting:
        report(
            f"authbus: no service has come to {summary.waiting} of them. Is one running? "
            f"Look again with the same command and --resume {plan.replay_id}"
        )
    if not summary.is_good:
        raise typer.Exit(Exit.LEFT)


def events_to_group(group: str, begin: str, *, dry_run: bool) -> None:
    """Move a group, and print each partition's move."""
    moves = run_quietly(_moved(load(), group, read("--from", begin, bound), dry_run))
    show_rows([asdict(each) | {"again": each.again} for each in moves])


async def _moved(settings: Settings, group: str, begin: Bound, dry_run: bool) -> list[Move]:
    async with group_replay(settings) as replay:
        return await replay.run(group, begin, dry_run=dry_run)


async def _replayed(settings: Settings, plan: Plan) -> Summary:
    async with running_servers(settings, report) as servers:
        with progress() as tell:
            async with command_replay(servers, tell, dry_run=plan.dry_run) as replay:
                return await replay.run(plan)


def _topic(name: str, namespace: str) -> Topic:
    named = {each.name(namespace): each for each in COMMAND_TOPICS}
    named |= {each.suffix: each for each in COMMAND_TOPICS}
    if name not in named:
        known = ", ".join(each.name(namespace) for each in COMMAND_TOPICS)
        raise typer.BadParameter(f"{name} is no topic of commands. Those are: {known}")
    return named[name]
