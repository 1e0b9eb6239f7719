"""What a bad input is made of: right commands of a declared client, and who is there."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from pydantic import SecretStr

from authbus import GetProfile, GetUser, ImportUser, LogIn, LogOut
from authbus.envelope import stamp
from authbus.message import Command
from authbus.sealing import ReplyKey
from authbus.topics import ACCOUNTS, CREDENTIALS, SESSIONS, Topic
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters
from tests.fuzz.case import Item
from tests.rig.operators import proof
from tests.rig.producing import Draft, Drafter

Json = dict[str, Any]
Change = Callable[[Json], object]

# What the handler says to a right record; nothing was in the way.
HANDLED = "invalid_credentials"
ENDED = "invalid_token"
PASSWORD = "correct horse battery"


@dataclass
class Person:
    email: str
    password: str = PASSWORD


@dataclass
class Scene:
    """`canary` stands for every secret that is sent; PostgreSQL fails at those `armed`.

    `named` are the names that were to be stored, by their users' addresses.
    """

    web: Drafter
    demo: Drafter
    random: Random
    canary: str
    masters: Masters
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    access_token: str = ""
    armed: list[tuple[UUID, str]] = field(default_factory=list[tuple[UUID, str]])
    named: dict[str, str] = field(default_factory=dict[str, str])

    def key(self) -> bytes:
        """A key of nobody else."""
        return b"key-%s" % uuid4().hex[:12].encode()

    def address(self) -> str:
        """An address that nobody has."""
        return f"u{uuid4().hex}@example.com"

    def draft(self, command: Command, **changes: Any) -> Draft:
        return self.web.draft(command, key=self.key(), **changes)

    def log_in(self, **changes: Any) -> Draft:
        """A right log-in of nobody."""
        command = LogIn(email=self.address(), password=SecretStr(self.canary))
        return self.draft(command, **changes)

    def log_out(self, **changes: Any) -> Draft:
        """A right log-out of no session."""
        command = LogOut(session_id=new_id(), refresh_token=SecretStr(self.canary))
        return self.draft(command, **changes)

    def either(self, **changes: Any) -> tuple[Draft, str]:
        """One or the other, and what its handler says."""
        if self.random.random() < 0.25:
            return self.log_in(**changes), HANDLED
        return self.log_out(**changes), ENDED

    def importing(self, name: str) -> Draft:
        """An operator's record of an account with this name, right or wrong."""
        id_, email = new_id(), self.address()
        self.named[email] = name
        command = ImportUser(access_token=proof(self.masters, self.web.namespace, id_), email=email)
        return self.draft(command, id_=id_, data={**command.to_json(), "display_name": name})

    def inside(self, payload: bytes) -> Draft:
        """A seal around these bytes."""
        return self.web.around(payload, self.log_out())

    def good(self, topic: Topic, key: bytes | None) -> Item:
        """A right command for this topic, refused by its handler alone."""
        nothing = SecretStr(self.canary)
        if topic == CREDENTIALS:
            command: Command = LogIn(email=self.address(), password=nothing)
        elif topic == SESSIONS:
            command = LogOut(session_id=new_id(), refresh_token=nothing)
        elif topic == ACCOUNTS:
            command = GetProfile(access_token=nothing)
        else:
            command = GetUser(access_token=nothing, user_id=new_id())
        return Item.of(self.web.draft(command).but(key=key))

    def asking(
        self, change: Change, *, id_: UUID | None = None, topic: Topic | None = None
    ) -> Draft:
        """A log-in with one right label, whose sealed payload is changed."""
        reply_key, command_id = ReplyKey(), id_ or new_id()
        payload = self.payload(command_id, reply_key)
        change(payload)
        to = (topic or CREDENTIALS).name(self.web.namespace)
        headers = [("ce_id", str(command_id).encode())]
        draft = Draft(to, self.key(), b"", headers, command_id, reply_key)
        return self.web.around(json.dumps(payload).encode(), draft)

    def payload(self, command_id: UUID, reply_key: ReplyKey) -> Json:
        now = datetime.now(UTC)
        return {
            "specversion": "1.0",
            "id": str(command_id),
            "type": "authbus.LogIn.v1",
            "source": "/clients/web",
            "time": stamp(now),
            "expirytime": stamp(now + timedelta(minutes=5)),
            "reply_to": self.web.reply_topic,
            "reply_key": dict(reply_key.public),
            "data": {"email": self.address(), "password": self.canary},
        }


def put(**fields: Any) -> Change:
    return lambda payload: payload.update(fields)


def left_out(name: str) -> Change:
    return lambda payload: payload.pop(name)


def data(**fields: Any) -> Change:
    return lambda payload: payload["data"].update(fields)


def clear(scene: Scene) -> bytes:
    """A command that somebody forgot to seal."""
    return json.dumps({"email": "ana@example.com", "password": scene.canary}).encode()
