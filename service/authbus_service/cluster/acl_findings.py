"""What is not as declared among the ACLs of a cluster."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from authbus_service.cluster.acls import EVERYWHERE, Acl
from authbus_service.cluster.errors import Finding

APPLY_ACLS = "authbus acls apply"
_EVERYBODY = f"User:{EVERYWHERE}"
# Whoever may do one of these may describe, and cannot do it where describing is denied.
_DESCRIBING = frozenset({"READ", "WRITE", "DELETE", "ALTER"})


def compare(found: Collection[Acl], wanted: Collection[Acl], namespace: str) -> list[Finding]:
    """What is missing, denied or open to everybody (fatal), or beside what is declared.

    What is given to one host is not given; what is denied to one host is denied.
    """
    beside = [each for each in found if each not in wanted and touches(each, namespace)]
    findings = (
        *(_missing(each, found) for each in {*wanted} - {*found}),
        *_denied((each for each in found if each.denies), wanted),
        *(_too_much(each) for each in beside),
    )
    return sorted(findings, key=lambda each: (not each.fatal, str(each)))


def touches(acl: Acl, namespace: str) -> bool:
    """Whether it gives something of this namespace, or everything."""
    if acl.denies:
        return False
    if acl.resource == "cluster":
        return acl.operation in {"ALL", "ALTER"} and _open(acl)
    inside = f"{namespace}."
    if acl.prefixed:
        return acl.name.startswith(inside) or inside.startswith(acl.name)
    return acl.name == EVERYWHERE or acl.name.startswith(inside)


def _missing(acl: Acl, found: Collection[Acl]) -> Finding:
    hosts = sorted(each.host for each in found if replace(each, host=acl.host) == acl)
    given = f", which is given to {', '.join(hosts)} alone" if hosts else ""
    return Finding(acl.name, f"missing: {acl}{given}", APPLY_ACLS)


def _denied(denials: Iterable[Acl], wanted: Collection[Acl]) -> Iterable[Finding]:
    """One finding for each of them, however much it takes."""
    for denial in denials:
        taken = sorted(each for each in wanted if _takes(denial, each))
        if taken:
            more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
            yield Finding(taken[0].name, f"denied: {taken[0]}{more}, by {denial}", _removal(denial))


def _takes(denial: Acl, need: Acl) -> bool:
    return (
        denial.principal in {need.principal, _EVERYBODY}
        and _covers(denial, need)
        and (
            denial.operation in {"ALL", need.operation}
            or (denial.operation == "DESCRIBE" and need.operation in _DESCRIBING)
        )
    )


def _covers(one: Acl, other: Acl) -> bool:
    """Whether there may be a resource that both are about."""
    if one.resource != other.resource:
        return False
    if not one.prefixed and one.name == EVERYWHERE:
        return True
    if one.prefixed and other.name.startswith(one.name):
        return True
    return one.name.startswith(other.name) if other.prefixed else one.name == other.name


def _too_much(acl: Acl) -> Finding:
    is_open = _open(acl)
    problem = "open to everybody" if is_open else "not declared"
    return Finding(acl.name, f"{problem}: {acl}", _removal(acl), fatal=is_open)


def _open(acl: Acl) -> bool:
    return acl.principal == _EVERYBODY


def _removal(acl: Acl) -> str:
    pattern = "prefixed" if acl.prefixed else "literal"
    flag = "--cluster" if acl.resource == "cluster" else f"--{acl.resource.replace('_', '-')}"
    where = flag if acl.resource == "cluster" else f"{flag} '{acl.name}'"
    kind = "deny" if acl.denies else "allow"
    host = "" if acl.host == EVERYWHERE else f"--{kind}-host {acl.host} "
    return (
        f"kafka-acls.sh --remove --{kind}-principal '{acl.principal}' {host}"
        f"--operation {acl.operation} {where} --resource-pattern-type {pattern}"
    )
