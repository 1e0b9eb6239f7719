"""Each of our names at Kafka may do what it needs on the topics, and nothing beside."""

from collections.abc import Iterable, Mapping, Sequence

from authbus.topics import TOPICS
from authbus_service.cluster import ClusterError, Finding
from authbus_service.cluster.acl_findings import APPLY_ACLS
from authbus_service.cluster.acls import Acl, Operation, consumer_acls, relay_acls
from authbus_service.cluster.rights import rights
from authbus_service.core.clients import Client, Principals
from authbus_service.core.config import Settings

_HARMLESS: frozenset[Operation] = frozenset({"DESCRIBE", "DESCRIBE_CONFIGS"})
_MAKING: frozenset[Operation] = frozenset({"CREATE", "ALTER_CONFIGS"})
_OPEN = (
    "take the ACLs for User:* away, set allow.everyone.if.no.acl.found=false, and give the service "
    "a name that is not among super.users. See: authbus acls check"
)

_GIVE = f"{APPLY_ACLS}; where that changes nothing, take away what denies it to this host"


async def look_at_rights(
    settings: Settings, servers: str, clients: Mapping[str, Client]
) -> list[Finding]:
    """What is missing or too much, all of it fatal, and what weakens; nothing where nobody logs in.

    Raises ClusterError when Kafka does not take us, ConfigError for files that cannot be read.
    """
    if not settings.logs_in:
        return []
    namespace, known = settings.namespace, Principals()
    answered = [client.reply_topic for client in clients.values()]
    names = [topic.name(namespace) for topic in (*TOPICS, *answered)]
    reads = [*consumer_acls(namespace, known, clients.values(), ())]
    says = [*relay_acls(namespace, known)]
    if not settings.relay_has_a_name_of_its_own:
        found = _compare(
            "the service",
            await rights(servers, settings.security(), names),
            settings,
            [*reads, *says],
        )
        weak = "whoever has the consumers' name may write events: the relay has no name of its own"
        return [*found, Finding("rights", weak, "set AUTHBUS_RELAY_...", fatal=False)]
    consumers = await rights(servers, settings.security(), names)
    relay = await rights(servers, settings.relay_security(), names)
    return [
        *_compare("the consumers' name", consumers, settings, reads),
        *_compare("the relay's name", relay, settings, says),
    ]


async def require_rights(
    settings: Settings, servers: str, clients: Mapping[str, Client]
) -> list[Finding]:
    """Raise ClusterError for what is fatal; returns what weakens."""
    found = await look_at_rights(settings, servers, clients)
    fatal = [each for each in found if each.fatal]
    if fatal:
        raise ClusterError("\n".join(["rights are not as declared", *map(str, fatal)]))
    return found


def _compare(
    who: str, may: Mapping[str, frozenset[Operation]], settings: Settings, acls: Sequence[Acl]
) -> list[Finding]:
    spare = _HARMLESS | (_MAKING if settings.topics == "apply" else frozenset())
    needed = {topic: _needed(topic, acls) for topic in may}
    missing = {topic: needed[topic] - has for topic, has in may.items()}
    beyond = {topic: has - needed[topic] - spare for topic, has in may.items()}
    return [
        *(Finding(at, f"{who} may not {what}", _GIVE) for at, what in _grouped(missing)),
        *(Finding(at, f"{who} may, and must not, {what}", _OPEN) for at, what in _grouped(beyond)),
    ]


def _needed(topic: str, acls: Iterable[Acl]) -> frozenset[Operation]:
    return frozenset(
        acl.operation
        for acl in acls
        if acl.resource == "topic"
        and (topic.startswith(acl.name) if acl.prefixed else topic == acl.name)
    )


def _grouped(found: Mapping[str, frozenset[Operation]]) -> Iterable[tuple[str, str]]:
    """Topics and operations; topics with the same go together: an open cluster is one line."""
    groups: dict[frozenset[Operation], list[str]] = {}
    for topic, operations in found.items():
        if operations:
            groups.setdefault(operations, []).append(topic)
    for operations, topics in groups.items():
        more = f" and {len(topics) - 1} more" if len(topics) > 1 else ""
        yield topics[0] + more, ", ".join(sorted(operations))
