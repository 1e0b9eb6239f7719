"""The table of the commands about users and their sessions."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

users = typer.Typer(help="Users, by the master key.", no_args_is_help=True)


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
