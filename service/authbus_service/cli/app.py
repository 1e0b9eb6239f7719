"""The table of commands. Each imports its work when it runs, so that --help is quick."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from authbus_service.cli.tables import cluster, people, repair, securing

app = typer.Typer(
    name="authbus",
    help="An auth service that lives on Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cluster.topics, name="topics")
app.add_typer(cluster.acls, name="acls")
app.command()(cluster.kubernetes)
app.add_typer(people.users, name="users")
app.add_typer(people.sessions, name="sessions")
app.add_typer(securing.hashing, name="hash")
app.add_typer(securing.keys, name="keys")
app.add_typer(repair.replay, name="replay")
app.add_typer(repair.dead_letters, name="dead-letters")
app.add_typer(repair.state, name="state")


def main() -> None:
    """Run the command line. Exit 1 with one line for what a person can mend, 2 for wrong usage."""
    try:
        app()
    except Exception as error:
        from authbus_service.cli.errors import explain
        from authbus_service.core.exit_status import Exit

        line = explain(error)
        if line is None:
            raise
        sys.stderr.write(f"authbus: {line}\n")
        sys.exit(Exit.LEFT)


@app.command()
def serve() -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Without KAFKA_BOOTSTRAP_SERVERS it starts a Kafka of its own, without DATABASE_URL a PostgreSQL.
    """
    from authbus_service.cli.serving import serve as run

    run()


@app.command()
def migrate() -> None:
    """Bring the database at DATABASE_URL to the newest shape."""
    from authbus_service.cli.databases import migrate as run

    run()


@app.command()
def doctor(
    backup_from: Annotated[
        datetime | None,
        typer.Option(help="When the backup was begun that you would restore, in UTC."),
    ] = None,
) -> None:
    """Look at all that the service needs and tell what is wrong and what mends it; change nothing.

    Exit 1 when something would keep the service from starting, or the backup from coming back.
    """
    from authbus_service.cli.doctor import examine

    examine(None if backup_from is None else backup_from.replace(tzinfo=UTC))


@app.command()
def recover(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be done, write nothing.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
) -> None:
    """Bring a database that went back in time to where it was, from the topics.

    Stop every service first. Killed in between, it is run again and goes on.
    """
    from authbus_service.cli.recovering import recover as run

    run(dry_run=dry_run, into=report)


@app.command()
def spec(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 when stale.")
    ] = False,
    folder: Annotated[Path | None, typer.Option(help="Where the spec files are.")] = None,
) -> None:
    """Write the contract's spec files: AsyncAPI, schemas, examples, errors, settings."""
    from authbus_service.cli.contract import spec as run

    run(folder, check=check)


app.command()(repair.watch)


@app.command()
def demo(
    as_bytes: Annotated[
        bool, typer.Option("--bytes", help="Show the bytes of each command as they are on Kafka.")
    ] = False,
) -> None:
    """Register, log in and log out, and watch the records pass."""
    from authbus_service.cli.showing import demo as run

    run(show_bytes=as_bytes)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    from authbus_service.cli.output import say

    say(installed("authbus-service"))
