"""Who may do what on the cluster: one table, made from the declarations, asked by everybody.

Reading, writing, deleting and altering imply describing, as Kafka has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from authbus import topics
from authbus.topics import COMMAND_TOPICS, Topic
from authbus_service.core.clients import Client, Declared, Principals, Reader

Resource = Literal["topic", "group", "transactional_id", "cluster"]
Operation = Literal[
    "ALL", "READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "CLUSTER_ACTION",
    "DESCRIBE_CONFIGS", "ALTER_CONFIGS", "IDEMPOTENT_WRITE",
]  # fmt: skip

CLUSTER = "kafka-cluster"
# Every resource, every host, and behind `User:` every principal.
EVERYWHERE = "*"
SAID_BY_RELAY = (
    topics.EVENTS,
    topics.USERS_STATE,
    topics.KEYS_STATE,
    topics.SESSIONS_ENDED,
    topics.AUDIT,
    topics.RELAY,
)
_VERIFYING = (topics.KEYS_STATE, topics.SESSIONS_ENDED)
_BY_CLIENTS = (topics.CREDENTIALS, topics.SESSIONS, topics.ACCOUNTS)


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one principal may do. `prefixed`: on all resources whose names begin so.

    It counts for connections from `host`, an address. With `denies` it is what they may not do,
    whatever else they may.
    """

    principal: str
    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False
    host: str = EVERYWHERE
    denies: bool = False

    def __str__(self) -> str:
        """One line for a person."""
        stars = "*" if self.prefixed else ""
        what = f"{self.operation} on {self.resource} {self.name}{stars}"
        from_host = "" if self.host == EVERYWHERE else f" from {self.host}"
        return f"{'DENY ' if self.denies else ''}{self.principal} {what}{from_host}"


@dataclass(frozen=True, slots=True)
class _Granting:
    """What one principal of a namespace gets."""

    principal: str
    namespace: str

    def on(self, of: Iterable[Topic], *operations: Operation) -> Iterable[Acl]:
        for topic in of:
            name = topic.name(self.namespace)
            yield from (Acl(self.principal, "topic", name, each) for each in operations)

    def on_all(self, resource: Resource, *operations: Operation) -> Iterable[Acl]:
        name = f"{self.namespace}."
        yield from (Acl(self.principal, resource, name, each, prefixed=True) for each in operations)

    def of_group(self, group: str) -> Iterable[Acl]:
        yield Acl(self.principal, "group", group, "READ")

    def of_groups(self, beginning: str) -> Iterable[Acl]:
        yield Acl(self.principal, "group", beginning, "READ", prefixed=True)

    def as_relay(self) -> Iterable[Acl]:
        yield Acl(self.principal, "transactional_id", relay_name(self.namespace), "WRITE")


def relay_name(namespace: str) -> str:
    """Under which every relay of this namespace speaks, so that a later one fences the others."""
    return f"{namespace}.relay"


def acls(namespace: str, declared: Declared, groups: Iterable[str]) -> frozenset[Acl]:
    """Every right that is needed, and no other. `groups` are the service's own."""
    known = declared.principals
    found = {
        *consumer_acls(namespace, known, declared.client, groups),
        *relay_acls(namespace, known),
        *_operator_acls(namespace, known, declared),
    }
    for client in declared.client:
        found |= {*_client_acls(namespace, client)}
    for reader in declared.reader:
        found |= {*_reader_acls(namespace, reader)}
    return frozenset(found)


def consumer_acls(
    namespace: str, known: Principals, clients: Iterable[Client], groups: Iterable[str]
) -> Iterable[Acl]:
    """Reads commands, answers, buries; sees whether topics are as declared."""
    may = _Granting(known.consumer, namespace)
    yield from may.on_all("topic", "DESCRIBE", "DESCRIBE_CONFIGS")
    yield from may.on((*COMMAND_TOPICS, topics.EVENTS, topics.KEYS_STATE), "READ")
    yield from may.on((*(client.reply_topic for client in clients), topics.DEAD_LETTERS), "WRITE")
    for group in groups:
        yield from may.of_group(group)


def relay_acls(namespace: str, known: Principals) -> Iterable[Acl]:
    """Says what the outbox holds, and alone may; buries what fits no topic; reads what was said."""
    may = _Granting(known.relay, namespace)
    yield from may.on((*SAID_BY_RELAY, topics.DEAD_LETTERS), "WRITE", "READ")
    yield from may.as_relay()


def _operator_acls(namespace: str, known: Principals, declared: Declared) -> Iterable[Acl]:
    """Makes topics, reads everything, sends commands, moves groups; writes no event."""
    may = _Granting(known.operator, namespace)
    configs: tuple[Operation, ...] = ("DESCRIBE_CONFIGS", "ALTER_CONFIGS")
    yield from may.on_all("topic", "READ", "CREATE", *configs)
    yield from may.on(COMMAND_TOPICS, "WRITE")
    yield from may.on([topics.DEAD_LETTERS], "WRITE")
    yield from may.on([client.reply_topic for client in declared.client], "WRITE")
    yield from may.on_all("group", "READ")
    for reader in declared.reader:
        yield from may.of_group(reader.group)
    yield from may.as_relay()
    yield Acl(known.operator, "cluster", CLUSTER, "DESCRIBE")


def _client_acls(namespace: str, client: Client) -> Iterable[Acl]:
    if client.principal is None:
        return
    may = _Granting(client.principal, namespace)
    written = (*_BY_CLIENTS, topics.ADMIN) if client.admin else _BY_CLIENTS
    yield from may.on(written, "WRITE")
    yield from may.on((client.reply_topic, *_VERIFYING), "READ")
    # Some libraries read in groups alone: one for each process.
    yield from may.of_groups(f"{client.reply_topic.name(namespace)}.")


def _reader_acls(namespace: str, reader: Reader) -> Iterable[Acl]:
    may = _Granting(reader.principal, namespace)
    personal = [topics.USERS_STATE] if reader.personal_data else []
    audit = [topics.AUDIT] if reader.audit else []
    yield from may.on((topics.EVENTS, *_VERIFYING, *personal, *audit), "READ")
    yield from may.of_group(reader.group)
