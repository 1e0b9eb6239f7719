"""Every message of the contract with its kind, its topic and whether its value is sealed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from authbus import contract, topics
from authbus.message import Command, Event, Message, Reply
from authbus.replies import Rejected
from authbus.topics import Topic


class Kind(StrEnum):
    """What a message is; also the folder of its spec file."""

    COMMAND = "commands"
    REPLY = "replies"
    EVENT = "events"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Entry:
    """One message type. A reply's topic is the producer's own, so `topic` is None."""

    model: type[Message]
    kind: Kind
    topic: Topic | None
    sealed: bool

    @property
    def name(self) -> str:
        """Class name and major version, for example `LogIn.v1`."""
        return f"{self.model.__name__}.v{self.model.version}"

    @property
    def urn(self) -> str:
        """The `$id` of the message's schema."""
        return f"urn:authbus:schema:{self.name}"

    @property
    def wrapped(self) -> bool:
        """Whether a seal is its value: also of each answer but a refusal to who has a reply key."""
        return self.sealed or (self.kind is Kind.REPLY and self.model is not Rejected)

    @property
    def personal(self) -> bool:
        """Whether personal data may stand in it: under a seal, or on a topic declared so."""
        return self.sealed or (self.topic is not None and self.topic.personal)


def command(model: type[Command]) -> Entry:
    return Entry(model, Kind.COMMAND, contract.topic_of(model), sealed=True)


def reply(model: type[Reply]) -> Entry:
    return Entry(model, Kind.REPLY, None, sealed=model.sealed)


def event(model: type[Event]) -> Entry:
    return Entry(model, Kind.EVENT, topics.EVENTS, sealed=False)


def entries() -> Iterator[Entry]:
    """All messages: commands in the order of the table, replies, events, state."""
    yield from (command(row.command) for row in contract.ROWS)
    yield from (reply(model) for model in contract.REPLIES.values())
    yield from (event(model) for model in contract.EVENTS.values())
    for model, topic in contract.STATE.items():
        yield Entry(model, Kind.STATE, topic, sealed=False)
