"""`authbus topics`."""

from collections.abc import Awaitable, Callable, Sequence

import typer

from authbus_service.cli.output import report, say, to_a_person
from authbus_service.cli.running import run_quietly
from authbus_service.cluster import Admin, Finding, TopicsError, Wanted, declared
from authbus_service.cluster import apply as apply_topics
from authbus_service.cluster import check as check_topics
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.startup.clients import declared_clients
from authbus_service.startup.errors import StartupError

_Do = Callable[[Admin, Sequence[Wanted]], Awaitable[list[Finding]]]


def apply() -> None:
    """Create and mend; tell what is left."""
    try:
        run_quietly(_with_topics(load(), apply_topics))
    except TopicsError as error:
        _tell(error.findings)
        raise typer.Exit(Exit.LEFT) from None


def check() -> None:
    """Tell what is found."""
    findings = run_quietly(_with_topics(load(), check_topics))
    if any(finding.fatal for finding in findings):
        raise typer.Exit(Exit.LEFT)


async def _with_topics(settings: Settings, do: _Do) -> list[Finding]:
    servers = settings.kafka_bootstrap_servers
    if servers is None:
        raise StartupError(
            "KAFKA_BOOTSTRAP_SERVERS is not set. "
            "`authbus serve` makes the topics of a Kafka of its own"
        )
    clients = declared_clients(settings.clients, own_kafka=False)
    async with Admin.connect(servers, settings.security()) as admin:
        _, brokers = await admin.describe()
        wanted = declared(settings.namespace, clients, brokers)
        findings = await do(admin, wanted)
    _tell(findings)
    if not findings:
        report(f"{len(wanted)} topics are as declared.")
    return findings


def _tell(findings: Sequence[Finding]) -> None:
    for finding in findings:
        say(str(finding) if to_a_person() else finding.to_json())
