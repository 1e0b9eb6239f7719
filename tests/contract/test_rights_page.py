"""The README's table of who can read what is what the ACLs are made of."""

from collections.abc import Iterator
from pathlib import Path

from authbus.contract import REPLIES
from authbus.specification.marks import PERSONAL, marked
from authbus.specification.messages import entries
from authbus.topics import COMMAND_TOPICS, TOPICS, Topic
from authbus_service.cluster.acls import Acl, acls
from authbus_service.core.clients import Client, Declared, Reader

NAMES = {
    "the service": ("User:authbus",),
    "relay": ("User:authbus-relay",),
    "operator": ("User:authbus-operator",),
    "a client": ("User:web", "User:admins"),
    "a reader": ("User:billing", "User:letters", "User:auditors"),
}
DECLARED = Declared(
    client=(
        Client(id="web", principal="User:web"),
        Client(id="admins", principal="User:admins", admin=True),
    ),
    reader=(
        Reader(principal="User:billing", group="billing"),
        Reader(principal="User:letters", group="letters", personal_data=True),
        Reader(principal="User:auditors", group="auditors", audit=True),
    ),
)
# What a name must be declared with before it may do what others of its kind may not.
WITH = {"User:admins": "`admin`", "User:letters": "`personal_data`", "User:auditors": "`audit`"}
REPLY_TOPIC = "auth.replies.<client>"


def may(given: frozenset[Acl], principal: str, topic: str) -> str:
    """r, w, r w or nothing."""
    found = {
        each.operation for each in given if each.principal == principal and covers(each, topic)
    }
    return " ".join(word[0].lower() for word in ("READ", "WRITE") if word in found)


def covers(acl: Acl, topic: str) -> bool:
    if acl.resource != "topic":
        return False
    return topic.startswith(acl.name) if acl.prefixed else topic == acl.name


def cell(given: frozenset[Acl], principals: tuple[str, ...], topic: str) -> str:
    """What all of a kind may do, or else those that are declared with more."""
    usual = may(given, principals[0], topic)
    more = [
        f"{may(given, each, topic)} with {WITH[each]}"
        for each in principals[1:]
        if may(given, each, topic) not in {"", usual}
    ]
    return more[0] if more else usual


def personal(topic: Topic) -> str:
    """Where personal data stands in a topic's records."""
    if topic in COMMAND_TOPICS:
        return "sealed"
    there = [each for each in entries() if each.topic is topic and marked(each.model, PERSONAL)]
    return "in the clear" if there else "none"


def of_replies() -> str:
    """Each reply that has any is sealed."""
    bare = [each for each in REPLIES.values() if not each.sealed and marked(each, PERSONAL)]
    return "in the clear" if bare else "sealed"


def lines() -> Iterator[str]:
    """The table as it must stand there."""
    given = acls("auth", DECLARED, ["auth.commands"])
    yield f"| topic | personal data | {' | '.join(NAMES)} |"
    yield f"| --- | --- |{' :-: |' * len(NAMES)}"
    topics = {each.name(): (each.name(), personal(each)) for each in TOPICS}
    topics["auth.replies.web"] = (REPLY_TOPIC, of_replies())
    for topic, (shown, data) in topics.items():
        cells = [cell(given, principals, topic) for principals in NAMES.values()]
        yield "".join(f"| {each} " if each else "| " for each in (f"`{shown}`", data, *cells)) + "|"


def test_the_readme_says_who_can_read_what(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Who can read what\n")[2].partition("\n## ")[0]

    assert [line for line in section.splitlines() if line.startswith("|")] == [*lines()]
