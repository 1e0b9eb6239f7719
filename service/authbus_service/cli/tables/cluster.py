"""The table of the commands about a cluster's topics and rights."""

from typing import Annotated

import typer

topics = typer.Typer(help="The topics that the service needs.", no_args_is_help=True)
acls = typer.Typer(
    help="Who may do what at Kafka, as AUTHBUS_CLIENTS declares it.", no_args_is_help=True
)


def kubernetes(
    cluster: Annotated[str, typer.Option(help="The name of Strimzi's Kafka.")] = "kafka",
) -> None:
    """Print topics, users and their rights as resources of Strimzi, made from AUTHBUS_CLIENTS."""
    from authbus_service.cli.kubernetes import kubernetes as run

    run(cluster)


@topics.command("apply")
def topics_apply() -> None:
    """Create missing topics and mend settings; exit 1 when faults are left."""
    from authbus_service.cli.topics import apply

    apply()


@topics.command("check")
def topics_check() -> None:
    """Tell what is not as declared, with the command that mends it; exit 1 when a topic is not."""
    from authbus_service.cli.topics import check

    check()


@acls.command("apply")
def acls_apply(
    prune: Annotated[
        bool, typer.Option("--prune", help="Take away what is in the namespace and not declared.")
    ] = False,
) -> None:
    """Make what is missing; as somebody who may alter the cluster. Exit 1 when faults are left."""
    from authbus_service.cli.acls import apply

    apply(prune=prune)


@acls.command("check")
def acls_check() -> None:
    """Tell what is missing, denied, open to everybody or not declared.

    Exit 1 when a right is missing, denied or everybody's.

    What is given to one host counts as missing: it is declared for all.
    """
    from authbus_service.cli.acls import check

    check()
