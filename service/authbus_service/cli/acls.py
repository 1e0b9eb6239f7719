"""`authbus acls`."""

from collections.abc import Collection

import typer

from authbus_service.cli.output import report, say, to_a_person
from authbus_service.cli.running import run_quietly
from authbus_service.cluster import Finding
from authbus_service.cluster.acl_admin import AclAdmin, acl_admin
from authbus_service.cluster.acl_findings import compare, touches
from authbus_service.cluster.acls import Acl, acls
from authbus_service.consumers.intakes import groups_of
from authbus_service.core.clients import read_declared
from authbus_service.core.config import Settings, load
from authbus_service.core.exit_status import Exit
from authbus_service.startup.errors import StartupError


def check() -> None:
    """Tell what is not as declared; exit 1 when a right is missing, denied or everybody's."""
    settings = load()
    _tell(run_quietly(_found(settings)), settings)


def apply(*, prune: bool) -> None:
    """Make what is missing; with `prune` take away what nobody declared in this namespace."""
    settings = load()
    _tell(run_quietly(_applied(settings, prune=prune)), settings)


async def _found(settings: Settings) -> list[Finding]:
    wanted, servers = _wanted(settings), _servers(settings)
    async with acl_admin(servers, settings.security()) as admin:
        return compare(await admin.found(), wanted, settings.namespace)


async def _applied(settings: Settings, *, prune: bool) -> list[Finding]:
    wanted, servers = _wanted(settings), _servers(settings)
    async with acl_admin(servers, settings.security()) as admin:
        await admin.add(wanted - await admin.found())
        if prune:
            await _prune(admin, wanted, settings.namespace)
        return compare(await admin.found(), wanted, settings.namespace)


async def _prune(admin: AclAdmin, wanted: Collection[Acl], namespace: str) -> None:
    """What reaches beyond the namespace, or denies, is left for a person to judge."""
    inside = f"{namespace}."
    found = {each for each in await admin.found() if touches(each, namespace)}
    await admin.remove({each for each in found - {*wanted} if each.name.startswith(inside)})


def _wanted(settings: Settings) -> frozenset[Acl]:
    if settings.clients is None:
        raise StartupError(
            "AUTHBUS_CLIENTS is needed: ACLs follow from what it declares. Name the file in it"
        )
    declared = read_declared(settings.clients)
    return acls(settings.namespace, declared, groups_of(settings.namespace))


def _servers(settings: Settings) -> str:
    if settings.kafka_bootstrap_servers is None:
        raise StartupError("KAFKA_BOOTSTRAP_SERVERS is not set. Set it to Kafka's address")
    return settings.kafka_bootstrap_servers


def _tell(findings: Collection[Finding], settings: Settings) -> None:
    for finding in findings:
        say(str(finding) if to_a_person() else finding.to_json())
    if not findings:
        report(f"{len(_wanted(settings))} ACLs are as declared.")
    if any(finding.fatal for finding in findings):
        raise typer.Exit(Exit.LEFT)
