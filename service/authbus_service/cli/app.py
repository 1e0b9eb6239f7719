"""The table of commands. Each imports its work when it runs, so that --help is quick."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

from authbus_service.cli import cluster, repair

app = typer.Typer(
    name="authbus",
    help="An auth service that lives on Kafka.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(
    help="The keys that sign and open, and the one that makes all of them.", no_args_is_help=True
)
hashing = typer.Typer(help="The password hash.", no_args_is_help=True)
users = typer.Typer(help="Users, by the master key.", no_args_is_help=True)
app.add_typer(cluster.topics, name="topics")
app.add_typer(cluster.acls, name="acls")
app.command()(cluster.kubernetes)
app.add_typer(users, name="users")
app.add_typer(hashing, name="hash")
app.add_typer(keys, name="keys")
app.add_typer(repair.replay, name="replay")
app.add_typer(repair.dead_letters, name="dead-letters")
app.add_typer(repair.state, name="state")


def main() -> None:
    """Run the command line. Exit 1 with one line for what a person can mend, 2 for wrong usage."""
    try:
        app()
    except Exception as error:
        from authbus_service.cli.errors import explain

        line = explain(error)
        if line is None:
            raise
        sys.stderr.write(f"authbus: {line}\n")
        sys.exit(1)


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


@keys.command("new")
def keys_new() -> None:
    """Print a new master key. Keep it apart from the database."""
    from authbus_service.cli.output import say
    from authbus_service.startup.master_key import new_master_key

    say(new_master_key())


@keys.command("list")
def keys_list() -> None:
    """Print every key with its life: next, serves or retired."""
    from authbus_service.cli.keys import list_keys

    list_keys()


@keys.command("rotate")
def keys_rotate(
    use: Annotated[Literal["sig", "enc", "both"], typer.Option(help="Which keys.")] = "both",
    lead: Annotated[
        int, typer.Option(help="Seconds until the new keys serve.", min=1, max=24 * 60 * 60)
    ] = 60,
) -> None:
    """Announce new keys; when `lead` is over they serve and those before them retire.

    Services go on meanwhile. Refused while a new key is still ahead.
    """
    from authbus_service.cli.keys import rotate

    rotate(("sig", "enc") if use == "both" else (use,), lead)


@keys.command("retire")
def keys_retire(
    kid: Annotated[str, typer.Argument(help="A key that has retired.")],
) -> None:
    """Destroy a key that nothing needs any more; refused before that, with the time."""
    from authbus_service.cli.keys import retire

    retire(kid)


@users.command("create")
def users_create(
    email: Annotated[str, typer.Argument(help="The address.")],
    admin: Annotated[bool, typer.Option("--admin", help="Give the role `admin`.")] = False,
    client: Annotated[str, typer.Option(help="As which declared client to ask.")] = "shell",
) -> None:
    """Make an account. The password is asked for, or read from standard input."""
    from authbus_service.cli.users import create

    create(email, admin=admin, client=client)


@users.command("grant")
def users_grant(
    user_id: Annotated[UUID, typer.Argument(help="Whom.")],
    role: Annotated[str, typer.Argument(help="A declared role, or `admin`.")],
    client: Annotated[str, typer.Option(help="As which declared client to ask.")] = "shell",
) -> None:
    """Give a user a role."""
    from authbus_service.cli.users import grant

    grant(user_id, role, client=client)


@users.command("import")
def users_import(
    file: Annotated[Path, typer.Argument(help="One JSON object a line.", exists=True)],
    client: Annotated[str, typer.Option(help="As which declared client to ask.")] = "shell",
) -> None:
    """Make accounts with the password hashes of another system; exit 1 when one was refused.

    A line has the fields of ImportUser: email, password_hash, email_verified, display_name ...
    """
    from authbus_service.cli.importing import import_users

    import_users(file, client=client)


@hashing.command("build")
def hash_build() -> None:
    """Compile the hash for newer processors, for AUTHBUS_HASH=compiled; needs a C compiler."""
    from authbus_service.cli.output import show
    from authbus_service.core.security.compiled.build import build

    show({"built": [path.name for path in build()]})


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
    """Write the contract's spec files: AsyncAPI, schemas, examples."""
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
