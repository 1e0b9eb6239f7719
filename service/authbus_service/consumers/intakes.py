"""The two intakes: full hash lanes never block the cheap topics."""

from collections.abc import Mapping, Sequence

from authbus import topics
from authbus.topics import Topic

INTAKES = (
    ("credentials", (topics.CREDENTIALS,)),
    ("cheap", (topics.SESSIONS, topics.ACCOUNTS, topics.ADMIN)),
)


def groups_of(namespace: str) -> Mapping[str, Sequence[Topic]]:
    """The Kafka groups of a service, and what each reads."""
    return {group(namespace, name): of for name, of in INTAKES}


def group(namespace: str, name: str) -> str:
    """The Kafka group of an intake."""
    return f"{namespace}.{name}"
