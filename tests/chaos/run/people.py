"""Whom the commands are about, and what somebody who asks for them knows of them."""

from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from pydantic import SecretStr

from authbus.replies import Tokens

_MOST_SESSIONS = 12


@dataclass(frozen=True, slots=True)
class Held:
    """A session's newest tokens; only the client that began it may use them."""

    client: str
    tokens: Tokens


@dataclass
class Person:
    """`passwords` are those that may count now: more than one while a change has no answer.

    `user_id` is there once somebody has heard it, `is_shut` while an operator has shut the account.
    """

    email: str
    passwords: list[str]
    is_known: bool = False
    user_id: UUID | None = None
    is_shut: bool = False
    changes: bool = False
    version: int = 0
    sessions: dict[UUID, Held] = field(default_factory=dict[UUID, Held])

    def of(self, client: str) -> list[Tokens]:
        """The sessions that this client may use."""
        return [each.tokens for each in self.sessions.values() if each.client == client]

    def holds(self, tokens: Tokens, client: str) -> None:
        """Another session, or newer tokens of one; the oldest are forgotten, and go on."""
        self.sessions[tokens.session_id] = Held(client, tokens)
        while len(self.sessions) > _MOST_SESSIONS:
            del self.sessions[next(iter(self.sessions))]

    def keeps_only(self, session_id: UUID | None) -> None:
        """All others have ended."""
        self.sessions = {id_: each for id_, each in self.sessions.items() if id_ == session_id}


@dataclass
class People:
    """All persons; half of what is asked is about the first few."""

    random: Random
    all: list[Person] = field(default_factory=list[Person])
    secrets: set[str] = field(default_factory=set[str])

    def new(self) -> Person:
        """Somebody who is not registered yet."""
        person = Person(f"user{len(self.all)}@example.com", [self.password()])
        self.all.append(person)
        return person

    def begin_anew(self, person: Person, *, is_gone: bool = True) -> None:
        """In the place of who was erased comes another of the same address, who is not registered.

        Where nobody knows whether it happened, the passwords of before may still count.
        """
        old = [] if is_gone else person.passwords
        for n, each in enumerate(self.all):
            if each is person:
                self.all[n] = Person(person.email, [*old, self.password()])

    def password(self) -> str:
        """One that nobody had."""
        password = f"staple {self.random.getrandbits(64):x} together"
        self.secrets.add(password)
        return password

    def somebody(self, hot: int) -> Person:
        """One of the first `hot` half of the time, else anybody."""
        return self.random.choice(self.all[:hot] if self.random.random() < 0.5 else self.all)


def secret(text: str) -> SecretStr:
    return SecretStr(text)
