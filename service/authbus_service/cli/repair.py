"""The table of the commands that replay and repair."""

from typing import Annotated

import typer

replay = typer.Typer(help="Records again, without fear.", no_args_is_help=True)

_FROM = "A time (2026-03-01T02:00:00, in UTC) or an offset."
_WHERE = "Only such records: type=LogIn, client=web, id=...; several times: all of them hold."


@replay.command("commands")
def replay_commands(
    topic: Annotated[str, typer.Argument(help="Like auth.commands.credentials.v1.")],
    begin: Annotated[str, typer.Option("--from", help=_FROM)],
    end: Annotated[str | None, typer.Option("--to", help="As --from; without it: all.")] = None,
    where: Annotated[list[str] | None, typer.Option(help=_WHERE)] = None,
    rate: Annotated[str | None, typer.Option(help="At most so many a second, like 500/s.")] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for a service that does not go on.", min=0)
    ] = 15,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, send nothing.")] = False,
    resume: Annotated[
        str | None, typer.Option(help="Go on with the replay of this id, and sum it up anew.")
    ] = None,
) -> None:
    """Send commands again, byte for byte; what was handled before has no second effect.

    Exit 0 when nothing is left to look at, 1 when some are dead again, wait or could not be sent.
    """
    from authbus_service.cli.replay import commands

    commands(topic, begin, end, where or [], rate, wait=wait, dry_run=dry_run, resume=resume)


@replay.command("events")
def replay_events(
    begin: Annotated[str, typer.Option("--from", help=_FROM)],
    to_group: Annotated[
        str | None, typer.Option(help="Let this group read again; it must have no members.")
    ] = None,
    to_topic: Annotated[
        str | None, typer.Option(help="Copy onto this topic, which is none of authbus's.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="As --from; of --to-topic.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="As above: type=..., subject=USER; of --to-topic.")
    ] = None,
    rate: Annotated[str | None, typer.Option(help="As above; of --to-topic.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell, change nothing.")] = False,
    resume: Annotated[
        str | None, typer.Option(help="Go on with the copying of this id; of --to-topic.")
    ] = None,
) -> None:
    """Let a module downstream hear events again; nobody else hears them.

    Exit 1 when an event did not fit onto the topic.
    """
    from authbus_service.cli.replay import events_to_group, events_to_topic

    if (to_group is None) == (to_topic is None):
        raise typer.BadParameter("either --to-group or --to-topic")
    if to_group is not None:
        if end or where or rate or resume:
            raise typer.BadParameter("--to, --where, --rate and --resume are of --to-topic")
        events_to_group(to_group, begin, dry_run=dry_run)
    if to_topic is not None:
        events_to_topic(to_topic, begin, end, where or [], rate, dry_run=dry_run, resume=resume)
