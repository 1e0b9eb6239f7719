"""The table of the commands about users and their sessions."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

users = typer.Typer(help="Users, by the master key.", no_args_is_help=True)
sessions = typer.Typer(help="Users' sessions, by the master key.", no_args_is_help=True)

_CLIENT = typer.Option(help="As which declared client to ask.")
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


@users.command("grant")
def users_grant(
    user_id: Annotated[UUID, typer.Argument(help="Whom.")],
    role: Annotated[str, typer.Argument(help="A declared role, or `admin`.")],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Give a user a role."""
    from authbus_service.cli.users import grant

    grant(user_id, role, client=client)


@users.command("import")
def users_import(
    file: Annotated[Path, typer.Argument(help="One JSON object a line.", exists=True)],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Make accounts with the password hashes of another system; exit 1 when one was refused.

    A line has the fields of ImportUser: email, password_hash, email_verified, display_name ...
    """
    from authbus_service.cli.importing import import_users

    import_users(file, client=client)


@sessions.command("list")
def sessions_list(
    whose: Annotated[str, _WHOSE],
    client: Annotated[str, _CLIENT] = "shell",
) -> None:
    """Print a user's live sessions, and the newest 20 that are over with how they ended."""
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
