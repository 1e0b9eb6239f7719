"""Accounts that are shut, opened again and erased, by their users and by an operator."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from authbus import EraseAccount, EraseUser, Rejected
from authbus.commands import DeactivateUser, ReactivateUser
from authbus.message import Command
from authbus.replies import Code, Tokens, UserIsActive, UserIsDeactivated, UserIsErased
from authbus_service.core.ids import new_id
from tests.chaos.run.client import Asked
from tests.chaos.run.operator import Operator
from tests.chaos.run.people import People, Person, secret

ByOperator = type[DeactivateUser] | type[ReactivateUser] | type[EraseUser]


class Ask(Protocol):
    """Sends a command about somebody; `said` is what the history shows of it."""

    async def __call__(self, command: Command, person: Person, **said: Any) -> Asked: ...


@dataclass(frozen=True)
class Ending:
    """What ends a person's account for a while, or for good."""

    people: People
    operator: Operator
    random: Random
    ask: Ask

    async def one(self, person: Person, mine: Sequence[Tokens]) -> None:
        """One of these by chance; only who holds a session can erase their own account."""
        match self.random.choice(["shut", "shut", "erase", "own" if mine else "erase"]):
            case "shut":
                await self.deactivate(person)
            case "own":
                await self.erase_account(person, self.random.choice(mine))
            case _:
                await self.erase_user(person)

    async def deactivate(self, person: Person) -> None:
        match (await self._by_operator(DeactivateUser, person)).decided:
            case UserIsDeactivated():
                person.is_shut = True
                person.keeps_only(None)
            case Rejected(code=code):
                self._refused(person, code)
            case _:  # it may be shut by now, or later: it is opened in any case
                person.is_shut = True

    async def reactivate(self, person: Person) -> None:
        match (await self._by_operator(ReactivateUser, person)).decided:
            case UserIsActive():
                person.is_shut = False
            case Rejected(code=code):
                self._refused(person, code)
            case _:
                pass

    async def erase_account(self, person: Person, tokens: Tokens) -> None:
        password = self.random.choice(person.passwords)
        command = EraseAccount(access_token=tokens.access_token, password=secret(password))
        id_ = tokens.session_id
        self._erased(person, await self.ask(command, person, session=id_, password=password))

    async def erase_user(self, person: Person) -> None:
        self._erased(person, await self._by_operator(EraseUser, person))

    def _erased(self, person: Person, asked: Asked) -> None:
        match asked.decided:
            case UserIsErased():
                self.people.begin_anew(person)
            case Rejected(code=code):
                self._refused(person, code)
            case _:
                self.people.begin_anew(person, is_gone=False)

    def _refused(self, person: Person, code: str) -> None:
        if code == Code.USER_UNKNOWN:
            self.people.begin_anew(person)

    async def _by_operator(self, kind: ByOperator, person: Person) -> Asked:
        assert person.user_id is not None
        id_ = new_id()
        command = kind(access_token=self.operator.proves(id_), user_id=person.user_id)
        return await self.ask(command, person, id_=id_)
