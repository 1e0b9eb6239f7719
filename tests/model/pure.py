"""Decide and apply alone, on rows in memory: no database, no seal, no hash that costs anything."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from authbus.events import AnyEvent
from authbus.export_pages import ExportPage, Place
from authbus.message import Reply
from authbus_service.auth import handlers
from authbus_service.auth.cause import Cause
from authbus_service.auth.codes.code import OneTimeCode
from authbus_service.auth.granting import Granting
from authbus_service.auth.guessing.attempt import Attempt, Verdict
from authbus_service.auth.private import NOTHING
from authbus_service.auth.proof import Proof, Tools
from authbus_service.auth.request import Derived, Request
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.lapsing import lapsed
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.search import Found, Search
from authbus_service.auth.users.user import Credential
from authbus_service.consumers.questions import readers_of
from authbus_service.core import clock
from authbus_service.core.clients import EMBEDDED_CLIENTS
from tests.model.entering import PASSWORDS
from tests.model.expected import By
from tests.model.managing import IMPORTED
from tests.model.memory import Memory
from tests.model.people import START, Seen, shown
from tests.model.service import ISSUER, KEYRING, MASTERS, POLICY, WAITS, Mailed
from tests.rig.made import applied

T = TypeVar("T")


@dataclass(frozen=True)
class _Verified:
    ok: bool
    rehash_needed: bool = False


class _Plain:
    """Hashes that cost nothing."""

    async def verify(self, phc: str | None, password: str) -> _Verified:
        if phc == IMPORTED:
            return _Verified(ok=password == PASSWORDS[0], rehash_needed=True)
        return _Verified(ok=phc == f"plain {password}")

    async def hash(self, password: str, salt: bytes | None = None) -> str:
        return f"plain {password}"

    async def pretend(self) -> None:
        pass


@dataclass
class PureService:
    """See Service. What only SQL knows (looking for users, exports) is no part of it."""

    at: datetime = START

    def __post_init__(self) -> None:
        self.memory = Memory()
        self._events, self._mails = list[AnyEvent](), list[Mailed]()
        self._finish = Granting(ISSUER, KEYRING.sign)
        token, operator = readers_of(ISSUER, KEYRING)
        self._tools = Tools(
            credential=self._credential,
            owner=self._owner,
            code=self._code,
            rows=self._rows,
            token=token,
            hashes=_Plain(),
            reserve=self._reserve,
            policy=POLICY,
            lookups=self,
            operator=operator,
        )

    def move(self, at: datetime) -> None:
        self.at = at

    def keep_house(self) -> None:
        self.memory.forget(self.at)

    def ask(self, command: Any, by: By) -> Reply:
        content = MASTERS.content_digest(command.model_dump_json().encode())
        derived = Derived(MASTERS, MASTERS.current, by.id, content)
        client = EMBEDDED_CLIENTS[by.client]
        request = Request(command, by.id, client, self.at + WAITS, derived, content)
        with clock.standing_at(self.at):
            question = handlers.QUESTIONS.get(type(command))
            if question is not None:
                return _at_once(question.answer(command, request, self._tools, self.at))
            return self._handled(request, _at_once(handlers.prepare(request, self._tools)))

    def _handled(self, request: Request, proof: Proof) -> Reply:
        rows = self.memory.loaded(proof, self.at)
        self.memory.claimed(request, proof, rows)
        self.memory.counted(proof, rows, self.at)
        outcome = handlers.decide(request, proof, rows, self.at, POLICY)
        applied(outcome, Cause(request, rows, self.at, proof.password_hash))
        rows.settle(proof.attempt, outcome.settled, self.at)
        rows.attempts.count(outcome.counted, request.id, request.expires_at, self.at)
        rows.attempts.clear(outcome.cleared)
        self.memory.written(rows)
        self._events += outcome.events
        for mail in outcome.mails:
            purpose = mail.template.purpose
            code = None if purpose is None else request.derived.code(purpose)
            if mail.address:
                self._mails.append(Mailed(mail.template, mail.address, code))
        return self._finish(outcome.answer, request)

    def sweep(self) -> None:
        for id_, session in sorted(self.memory.sessions.items()):
            proof = Proof(user_id=session.user_id, session_id=id_)
            rows = self.memory.loaded(proof, self.at)
            user = rows.users.by_id[session.user_id]
            if found := lapsed(MASTERS, session, user, self.at):
                _, event = found
                handlers.apply(event, NOTHING, rows, self.at)
                self.memory.written(rows)
                self._events.append(event)

    def news(self) -> tuple[list[AnyEvent], list[Mailed]]:
        found = self._events, self._mails
        self._events, self._mails = [], []
        return found

    def seen(self) -> Seen:
        memory = self.memory
        return Seen(
            users={each.id: shown(each) for each in memory.users.values()},
            addresses={**memory.addresses},
            live={s.id: s.user_id for s in memory.sessions.values() if s.is_live(self.at)},
            gone={each.id: each.sequence for each in memory.gone.values()},
        )

    async def _credential(self, canonical: str) -> Credential | None:
        user = self.memory.users.get(self.memory.addresses.get(canonical, UUID(int=0)))
        if user is None:
            return None
        return Credential(user.id, user.password_hash, user.credential_version, user.devices)

    async def _owner(self, session_id: UUID) -> UUID | None:
        found = self.memory.sessions.get(session_id)
        return None if found is None else found.user_id

    async def _code(self, hash_: bytes) -> OneTimeCode | None:
        return self.memory.codes.get(hash_)

    async def _rows(self, proof: Proof) -> Rows:
        return self.memory.loaded(proof, self.at)

    async def _reserve(self, attempt: Attempt) -> Verdict:
        rows = [*self.memory.attempts.values()]
        of_key = [row for row in rows if row.key == attempt.key]
        of_source = [row for row in rows if attempt.source and row.source == attempt.source]
        verdict = POLICY.guessing.verdict(attempt, of_key, of_source, self.at)
        if verdict is Verdict.HELD:
            self.memory.hold(attempt, self.at)
        return verdict

    async def over(self, user_id: UUID, limit: int) -> Sequence[Session]:
        """Those of a user that are over."""
        mine = [each for each in self.memory.sessions.values() if each.user_id == user_id]
        return [each for each in mine if not each.is_live(self.at)][-limit:]

    async def open(self, user_id: UUID, limit: int) -> int:
        """How many sessions of a user have not ended."""
        mine = [each for each in self.memory.sessions.values() if each.user_id == user_id]
        return min(limit, sum(each.ended_at is None for each in mine))

    async def find(self, search: Search) -> Found:
        raise NotImplementedError

    async def fill(self, page: ExportPage, user_id: UUID, place: Place) -> None:
        raise NotImplementedError


def _at_once(asked: Coroutine[Any, Any, T]) -> T:
    """What comes of something that never waits."""
    try:
        asked.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")
