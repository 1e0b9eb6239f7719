"""The table of the commands about users and their sessions."""

from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import typer

users = typer.Typer(
    help="Look at users and administer them, with the master key.", no_args_is_help=True
)
sessions = typer.Typer(
    help="Look at users' sessions and end them, with the master key.", no_args_is_help=True
)


_Reason = Literal["unspecified", "requested", "compromised", "abuse", "dormant"]
_CLIENT = typer.Option(help="As which declared client to ask.")
_ROLE = typer.Argument(help="A declared role, or `admin`.")
_WHOSE = typer.Argument(metavar="EMAIL|USER_ID", help="Whose.")


@users.command("create")
def users_create(
    email: Annotated[str, typer.Argument(help="The address.")],
    admin: Annotated[bool, typer.Option("--admin", help="Give the role `admin`.")] = False,
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Make an account. The password is asked for, or read from standard input."""
    from authbus_service.cli.users import create

    create(email, admin=admin, client=client)


@users.command("find")
def users_find(
    prefix: Annotated[
        str | None, typer.Argument(help="How their addresses begin; all accounts without it.")
    ] = None,
    status: Annotated[
        Literal["active", "deactivated"] | None, typer.Option(help="Only these.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 100,
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """List accounts in the order of their addresses, or of their registration without PREFIX."""
    from authbus_service.cli.users import find

    find(prefix, status, limit=limit, client=client)


@users.command("show")
def users_show(whose: Annotated[str, _WHOSE], client: Annotated[str, _CLIENT] = "shell") -> None:
    """Print one account: address, state, roles, how many sessions go on."""
    from authbus_service.cli.users import look

    look(whose, client=client)


@users.command("grant")
def users_grant(
    whose: Annotated[str, _WHOSE],
    role: Annotated[str, _ROLE],
    unverified: Annotated[
        bool,
        typer.Option("--unverified", help="Also where nobody has shown the address as theirs."),
    ] = False,
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Give a user a role, once they have shown that their address is theirs."""
    from authbus_service.cli.users import grant

    grant(whose, role, client=client, unverified=unverified)


@users.command("revoke")
def users_revoke(
    whose: Annotated[str, _WHOSE],
    role: Annotated[str, _ROLE],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Take a role away."""
    from authbus_service.cli.users import revoke

    revoke(whose, role, client=client)


@users.command("deactivate")
def users_deactivate(
    whose: Annotated[str, _WHOSE],
    reason: Annotated[_Reason, typer.Option(help="Why, for auditors.")] = "unspecified",
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Shut an account and end its sessions; nobody logs in until it is reactivated."""
    from authbus_service.cli.users import deactivate

    deactivate(whose, reason, client=client)


@users.command("reactivate")
def users_reactivate(
    whose: Annotated[str, _WHOSE], client: Annotated[str, _CLIENT] = "shell"
) -> None:
    """Open a deactivated account again."""
    from authbus_service.cli.users import reactivate

    reactivate(whose, client=client)


@users.command("unlock")
def users_unlock(whose: Annotated[str, _WHOSE], client: Annotated[str, _CLIENT] = "shell") -> None:
    """End a lock that wrong passwords brought."""
    from authbus_service.cli.users import unlock

    unlock(whose, client=client)


@users.command("reset-password")
def users_reset_password(
    whose: Annotated[str, _WHOSE], client: Annotated[str, _CLIENT] = "shell"
) -> None:
    """Take a password away, end all sessions, and mail the user how to set a new one."""
    from authbus_service.cli.users import reset_password

    reset_password(whose, client=client)


@users.command("reset-second-factor")
def users_reset_second_factor(
    whose: Annotated[str, _WHOSE], client: Annotated[str, _CLIENT] = "shell"
) -> None:
    """Take a lost second factor away."""
    from authbus_service.cli.users import reset_second_factor

    reset_second_factor(whose, client=client)


@users.command("export")
def users_export(whose: Annotated[str, _WHOSE], client: Annotated[str, _CLIENT] = "shell") -> None:
    """Print all that is held of a user."""
    from authbus_service.cli.users import export

    export(whose, client=client)


@users.command("erase")
def users_erase(
    whose: Annotated[str, _WHOSE],
    yes: Annotated[bool, typer.Option("--yes", help="Ask nobody.")] = False,
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Erase a user for good, once somebody has agreed; prints the receipt."""
    from authbus_service.cli.users import erase

    def is_sure(user_id: UUID) -> bool:
        return yes or typer.confirm(f"Erase {user_id}?", err=True)

    erase(whose, client=client, is_sure=is_sure)


@users.command("import")
def users_import(
    file: Annotated[
        Path, typer.Argument(help="One JSON object a line.", exists=True, dir_okay=False)
    ],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Make accounts with the password hashes of another system; exit 1 unless all were imported.

    A line has the fields of ImportUser: email, password_hash, email_verified, display_name ...
    """
    from authbus_service.cli.importing import import_users

    import_users(file, client=client)


@sessions.command("list")
def sessions_list(
    whose: Annotated[str, _WHOSE],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Print a user's live sessions, and the newest 20 of the last 30 days with how they ended."""
    from authbus_service.cli.sessions import list_sessions

    list_sessions(whose, client=client)


@sessions.command("end")
def sessions_end(
    session_id: Annotated[UUID, typer.Argument(metavar="SESSION_ID", help="Which.")],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """End one session, whoever's it is. Its access token is refused within a second or two."""
    from authbus_service.cli.sessions import end

    end(session_id, client=client)


@sessions.command("end-all")
def sessions_end_all(
    whose: Annotated[str, _WHOSE],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """End all sessions of a user, who may log in again."""
    from authbus_service.cli.sessions import end_all

    end_all(whose, client=client)
