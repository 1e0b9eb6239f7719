"""A client that sends until it is answered, and remembers all that it sent and heard."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import monotonic
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from authbus import Rejected, Reply
from authbus.envelope import read_headers
from authbus.message import Command
from authbus.replies import Tokens
from authbus_service.core.ids import new_id
from tests.chaos.checker.kinds import UNDECIDED
from tests.rig.producing import Draft, Producer

_ANSWER_SECONDS, _LONGEST_SECONDS = 2.0, 8.0
_SEND_SECONDS = 2.0
_TWICE, _AGAIN = 0.06, 0.06


@dataclass
class Asked:
    """One command over all times that it was sent. Passwords are labels."""

    draft: Draft
    kind: str
    subject: str
    session: str
    password: str
    new_password: str
    invoked: float = field(default_factory=monotonic)
    decided: Reply | None = None
    returned: float | None = None


def label(password: str) -> str:
    """What stands for a password in a history."""
    return hashlib.sha256(password.encode()).hexdigest()[:12] if password else ""


def secrets_of(reply: Reply) -> set[str]:
    """Tokens, and whatever else may be in a reply under its seal alone."""
    told = dict(reply).values()
    return {each.get_secret_value() for each in told if isinstance(each, SecretStr)}


class Client(Producer):
    """One of the declared clients. `counts` are what it did besides sending each command once.

    `tokens` are the access tokens that it was given, each session's newest, `secrets` all that it
    was ever told under seal. `left` are the commands on which it has given up for now: a copy of
    one that has expired has no answer any more.
    """

    def __init__(
        self, servers: str, namespace: str, jwk: Mapping[str, str], name: str, random: Random
    ) -> None:
        super().__init__(servers, namespace, jwk, name)
        self.asked: dict[UUID, Asked] = {}
        self.counts = Counter[str]()
        self.tokens: dict[UUID, str] = {}
        self.secrets: set[str] = set()
        self.left: list[Asked] = []
        self._random = random

    @property
    def all_heard(self) -> Mapping[str, Sequence[ConsumerRecord[bytes, bytes]]]:
        """All answers by the command that they say they answer."""
        return self._replies

    async def asks(
        self,
        command: Command,
        subject: str,
        *,
        patience: float,
        id_: UUID | None = None,
        **said: str,
    ) -> Asked:
        """Send, and send again after each silence, until it is decided or patience is over.

        `said` are what the history shows of it: `session`, `password`, `new_password`.
        """
        id_ = id_ or new_id()
        asked = Asked(
            self.draft(command, id_=id_, key=subject.encode()),
            type(command).__name__,
            subject,
            said.get("session", ""),
            label(said.get("password", "")),
            label(said.get("new_password", "")),
        )
        self.asked[id_] = asked
        if self._random.random() < _TWICE:
            self.counts["sent twice at once"] += 1
            await self._attempt(asked)
        await self.persist(asked, patience=patience)
        if self._random.random() < _AGAIN and asked.decided is not None:
            self.counts["sent again after the answer"] += 1
            await self._attempt(asked)
        return asked

    async def persist(self, asked: Asked, *, patience: float) -> None:
        """Go on sending the same record, ever less often."""
        until, rest = monotonic() + patience, _ANSWER_SECONDS
        first = True
        while asked.decided is None and monotonic() < until:
            if not first:
                self.counts["sent again after silence"] += 1
            first = False
            await self._attempt(asked)
            left = max(0.0, until - monotonic())
            with suppress(TimeoutError):
                await self._until_decided(asked, min(rest, left))
            rest = min(2 * rest, _LONGEST_SECONDS)
        if asked.decided is None:
            self.counts["given up"] += 1
            self.left.append(asked)

    def read(self, record: ConsumerRecord[bytes, bytes], draft: Draft) -> Reply:
        """Open an answer, and remember what was secret in it."""
        reply = super().read(record, draft)
        self.secrets |= secrets_of(reply)
        return reply

    async def _attempt(self, asked: Asked) -> None:
        with suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(self.send(asked.draft), _SEND_SECONDS)

    async def _until_decided(self, asked: Asked, within: float) -> None:
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: asked.decided is not None)

    async def _listen(self) -> None:
        async for record in self._listener:
            id_ = UUID(read_headers(record.headers)["ce_causationid"])
            async with self._news:
                self._replies.setdefault(str(id_), []).append(record)
                self._take(id_, record)
                self._news.notify_all()

    def _take(self, id_: UUID, record: Any) -> None:
        asked = self.asked.get(id_)
        if asked is None or asked.decided is not None:
            return
        reply = self.read(record, asked.draft)
        if isinstance(reply, Rejected) and str(reply.code) in UNDECIDED:
            self.counts["busy"] += 1
            return
        asked.decided, asked.returned = reply, monotonic()
        if isinstance(reply, Tokens):
            self.tokens.pop(reply.session_id, None)
            self.tokens[reply.session_id] = reply.access_token.get_secret_value()
