"""The table of the commands about keys and hashes."""

from typing import Annotated, Literal

import typer

keys = typer.Typer(
    help="The keys that sign and open, and the one that makes all of them.", no_args_is_help=True
)
hashing = typer.Typer(
    help="The hash of passwords, compiled for this processor.", no_args_is_help=True
)

_TRUSTED = typer.Option(help="The new root's thumbprint, once every client has it in its trust=.")
_LEAD = typer.Option(help="Seconds until the new keys serve.", min=1, max=24 * 60 * 60)


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
    trusted: Annotated[str | None, _TRUSTED] = None,
    lead: Annotated[int, _LEAD] = 60,
) -> None:
    """Announce new keys; when `lead` is over they serve and those before them retire.

    Services go on meanwhile. Refused while a new key is still ahead. A master that has no key in
    use needs --trusted.
    """
    from authbus_service.cli.keys import rotate

    rotate(("sig", "enc") if use == "both" else (use,), lead, trusted)


@keys.command("retire")
def keys_retire(
    kid: Annotated[str, typer.Argument(help="A key that has retired.")],
) -> None:
    """Destroy a key that nothing needs any more; refused before that, with the time."""
    from authbus_service.cli.keys import retire

    retire(kid)


@keys.command("replace-master")
def keys_replace_master(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what lies under which master, change nothing.")
    ] = False,
    trusted: Annotated[str | None, _TRUSTED] = None,
    lead: Annotated[int, _LEAD] = 60,
) -> None:
    """Move what lies under a previous master key to the current one, while services run.

    Killed in between, it is run again. Exit 1 while something is left under a previous one.
    """
    from authbus_service.cli.masters import replace_master

    replace_master(lead, trusted, dry_run=dry_run)


@hashing.command("build")
def hash_build() -> None:
    """Compile the hash for newer processors, for AUTHBUS_HASH=compiled; needs a C compiler."""
    from authbus_service.cli.output import show
    from authbus_service.core.security.compiled.build import build

    show({"built": [path.name for path in build()]})
