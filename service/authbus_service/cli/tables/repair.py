"""The table of the commands that replay and repair."""

from typing import Annotated, Literal
from uuid import UUID

import typer

dead_letters = typer.Typer(
    help="Records that could not be read, or never worked.", no_args_is_help=True
)
state = typer.Typer(
    help="The topics that hold each user's and each key's newest state.", no_args_is_help=True
)
replay = typer.Typer(
    help="Read commands or events again; nothing happens twice.", no_args_is_help=True
)

_FROM = "A time (2026-03-01T02:00:00, in UTC) or an offset."
_WHERE = "Only such records: type=LogIn, client=web, id=...; several times: all of them hold."
_COPYING = "With --to-topic alone."
_RATE = "At most so many a second, like 500/s."
_TO_GROUP = typer.Option(
    help="Let this group, which has read before, read from there; none of it may run."
)
_TO_TOPIC = typer.Option(help="Or copy onto this topic, which is there and none of authbus's.")
_EVENTS = typer.Option(
    help="Only such events: type=UserCreated, subject=USER_ID; several times: all of them hold. "
    f"{_COPYING}"
)


@replay.command("commands")
def replay_commands(
    topic: Annotated[str, typer.Argument(help="Like auth.commands.credentials.v1.")],
    begin: Annotated[str, typer.Option("--from", help=_FROM)],
    end: Annotated[str | None, typer.Option("--to", help="As --from; without it: all.")] = None,
    where: Annotated[list[str] | None, typer.Option(help=_WHERE)] = None,
    rate: Annotated[str | None, typer.Option(help=_RATE)] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait for a service that does not go on.", min=0)
    ] = 15,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, send nothing.")] = False,
    resume: Annotated[
        str | None, typer.Option(help="Go on with the replay of this id, and sum it up anew.")
    ] = None,
) -> None:
    """Send commands again, byte for byte; what was handled before has no second effect.

    Exit 1 when some are dead again, wait or could not be sent.
    """
    from authbus_service.cli.replay import commands

    commands(topic, begin, end, where or [], rate, wait=wait, dry_run=dry_run, resume=resume)


@replay.command("events")
def replay_events(
    begin: Annotated[str, typer.Option("--from", help=_FROM)],
    to_group: Annotated[str | None, _TO_GROUP] = None,
    to_topic: Annotated[str | None, _TO_TOPIC] = None,
    end: Annotated[
        str | None, typer.Option("--to", help=f"As --from; without it: all. {_COPYING}")
    ] = None,
    where: Annotated[list[str] | None, _EVENTS] = None,
    rate: Annotated[str | None, typer.Option(help=f"{_RATE} {_COPYING}")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell, change nothing.")] = False,
    resume: Annotated[
        str | None, typer.Option(help=f"Go on with the copying of this id. {_COPYING}")
    ] = None,
) -> None:
    """Let a module downstream hear events again; nobody else hears them.

    A view that `stream.bootstrap()` built is told no states again: for that take a new group.

    Exit 1 when an event did not fit onto the topic.
    """
    if (to_group is None) == (to_topic is None):
        raise typer.BadParameter("either --to-group or --to-topic")
    if to_group is not None:
        if end or where or rate or resume:
            raise typer.BadParameter("--to, --where, --rate and --resume are of --to-topic")
        from authbus_service.cli.replay import events_to_group

        events_to_group(to_group, begin, dry_run=dry_run)
    if to_topic is not None:
        from authbus_service.cli.copying import events_to_topic

        events_to_topic(to_topic, begin, end, where or [], rate, dry_run=dry_run, resume=resume)


_REASON = typer.Option("--reason", help="Only of this reason; several times: any of them.")
_TOPIC = typer.Option("--topic", help="Only from this topic.")
_SINCE = typer.Option("--since", help="Only records of this time or later, in UTC.")
_IDS = typer.Argument(help="Which, by id; else by a filter, or --all.")
_ALL = typer.Option("--all", help="All of them.")
_DRY_RUN = typer.Option("--dry-run", help="Tell, change nothing.")


@dead_letters.command("list")
def dead_letters_list(
    reason: Annotated[list[str] | None, _REASON] = None,
    topic: Annotated[str | None, _TOPIC] = None,
    since: Annotated[str | None, _SINCE] = None,
    each: Annotated[bool, typer.Option("--each", help="A line for each, not by reason.")] = False,
) -> None:
    """Print the open ones, by reason."""
    from authbus_service.cli.dead_letters import list_letters

    list_letters(reason or [], topic, since, each=each)


@dead_letters.command("show")
def dead_letters_show(id_: Annotated[UUID, typer.Argument(metavar="ID")]) -> None:
    """Print one, and what its record's headers say; never what is in the record."""
    from authbus_service.cli.dead_letters import show_letter

    show_letter(id_)


@dead_letters.command("redrive")
def dead_letters_redrive(
    ids: Annotated[list[UUID] | None, _IDS] = None,
    reason: Annotated[list[str] | None, _REASON] = None,
    topic: Annotated[str | None, _TOPIC] = None,
    since: Annotated[str | None, _SINCE] = None,
    every: Annotated[bool, _ALL] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Handle records here that the service failed at, each as of the time when it came.

    No session starts that nobody waits for. Killed half-way: do it again. Exit 1 when some stay
    open, or a named one is not.
    """
    from authbus_service.cli.dead_letters import redrive

    _require_choice(ids, reason, topic, since, every=every)
    redrive(ids or [], reason or [], topic, since, dry_run=dry_run)


@dead_letters.command("discard")
def dead_letters_discard(
    ids: Annotated[list[UUID] | None, _IDS] = None,
    reason: Annotated[list[str] | None, _REASON] = None,
    topic: Annotated[str | None, _TOPIC] = None,
    since: Annotated[str | None, _SINCE] = None,
    every: Annotated[bool, _ALL] = False,
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Close them as they are: they are listed no more. The letters stay on their topic.

    Exit 1 when a named one is not open.
    """
    from authbus_service.cli.dead_letters import discard

    _require_choice(ids, reason, topic, since, every=every)
    discard(ids or [], reason or [], topic, since, dry_run=dry_run)


def _require_choice(*named: object, every: bool) -> None:
    if every == any(named):
        raise typer.BadParameter("name letters by id or by a filter, or give --all")


@state.command("rebuild")
def state_rebuild(
    what: Annotated[Literal["users", "keys"], typer.Argument(help="Which topic.")],
    dry_run: Annotated[bool, _DRY_RUN] = False,
) -> None:
    """Write the topic anew from the database, while the service runs; its relay says it.

    What is on the topic and not in the database gets a tombstone. Killed half-way: do it again.
    """
    from authbus_service.cli.states import rebuild_keys, rebuild_users

    (rebuild_users if what == "users" else rebuild_keys)(dry_run=dry_run)


def watch(
    where: Annotated[
        list[str] | None, typer.Option(help=f"{_WHERE} And what comes of such commands.")
    ] = None,
) -> None:
    """Show records as they come: type, ids, outcome, and how long each stage took."""
    from authbus_service.cli.watching import watch as run

    run(where or [])
