"""What users test with, `authbus.testing`, held against the same model as the service."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from authbus.code import Code
from authbus.events import AnyEvent, UserErased
from authbus.message import Command, Reply
from authbus.replies import Rejected
from authbus.testing.answering import answer
from authbus.testing.memory import Ask, Memory
from authbus.testing.rows import Account, Held, Mail
from authbus.testing.settings import Settings
from authbus_service.consumers.questions import readers_of
from tests.model.accounts import NO_LOCALE
from tests.model.entering import NO_ADDRESS
from tests.model.expected import By
from tests.model.people import START, Seen, shown
from tests.model.service import ISSUER, KEYRING, POLICY, Mailed

_ROOT = UUID(int=1)
_EVER = datetime(2100, 1, 1, tzinfo=START.tzinfo)
_SETTINGS = Settings(
    access_token_seconds=POLICY.access_token_lifetime.total_seconds(),
    session_days=POLICY.session_lifetime / timedelta(days=1),
    session_idle_hours=POLICY.session_idle / timedelta(hours=1),
    sessions_per_user=POLICY.sessions_per_user,
    guesses=POLICY.guessing.at_once,
    guesses_until_lock=POLICY.guessing.until_lock,
    guesses_per_source=POLICY.guessing.per_source,
)


class FakeService:
    """See Service. An operator, whom the fake does not know, acts as an administrator of it.

    Nor does it know which languages there are: that refusal is given here.
    """

    def __init__(self) -> None:
        self._memory = Memory(START, _SETTINGS, POLICY.roles.declared, {})
        self._events, self._known = 0, list[Mail]()
        self._operator = readers_of(ISSUER, KEYRING)[1]
        self._root = self._administrator()

    def move(self, at: datetime) -> None:
        self._memory.now = at

    def keep_house(self) -> None:
        self._memory.forget()

    def sweep(self) -> None:
        self._memory.sweep(self._memory.now)

    def ask(self, command: Command, by: By) -> Reply:
        is_none = getattr(command, "email", None) == NO_ADDRESS
        if getattr(command, "locale", None) == NO_LOCALE and not is_none:
            return Rejected.because(Code.INVALID)
        token: SecretStr | None = getattr(command, "access_token", None)
        operator = None if token is None else self._operator(token.get_secret_value())
        if operator is not None and operator.command_id == by.id:
            command = command.model_copy(update={"access_token": self._root})
            self._memory.sessions[_ROOT].client_id = by.client
        return answer(self._memory, command, Ask(by.id, by.client))

    def news(self) -> tuple[list[AnyEvent], list[Mailed]]:
        events: list[Any] = [said.event.data for said in self._memory.log[self._events :]]
        self._events += len(events)
        mails = [each for each in self._memory.mails if each not in self._known]
        self._known += mails
        return events, [Mailed(each.template, each.address, each.code) for each in mails]

    def seen(self) -> Seen:
        memory = self._memory
        return Seen(
            users={each.id: shown(each) for each in memory.users.values() if each.id != _ROOT},
            addresses={**memory.addresses},
            live={
                each.id: each.user_id
                for each in memory.sessions.values()
                if each.is_live(memory.now) and each.user_id != _ROOT
            },
            gone={
                said.event.user_id: said.event.sequence
                for said in memory.log
                if isinstance(said.event.data, UserErased)
            },
        )

    def _administrator(self) -> SecretStr:
        memory = self._memory
        user = Account(_ROOT, "", START, roles=("admin",))
        session = Held(_ROOT, _ROOT, "web", [], START, START, START, _EVER, _EVER)
        memory.users[_ROOT], memory.sessions[_ROOT] = user, session
        life = START, _EVER
        return SecretStr(
            memory.mint.token(
                user, session, _ROOT, audience=("web",), permissions=frozenset(), life=life
            )
        )
