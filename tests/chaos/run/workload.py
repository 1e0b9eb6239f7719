"""What clients ask for all the time: an account's life, by chance."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from authbus import (
    AllSessionsEnded,
    ChangePassword,
    EndAllSessions,
    GetProfile,
    ListSessions,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogOut,
    PasswordIsChanged,
    ProfileSaved,
    Refreshed,
    RefreshSession,
    Registered,
    RegisterUser,
    Rejected,
    UpdateProfile,
)
from authbus.message import Command
from authbus.replies import Code, Tokens
from tests.chaos.run.client import Asked, Client
from tests.chaos.run.ending import Ending
from tests.chaos.run.operator import Operator
from tests.chaos.run.people import People, Person, secret

_HOT = 10
_PATIENT, _IMPATIENT, _SHARE_OF_IMPATIENT = 60.0, 0.4, 0.1
_PAUSE, _SHARE_OF_RETURNS = 0.2, 0.3
# Of the moves about somebody registered, so that it is about 2 % of all.
_SHARE_OF_ENDS, _SHARE_OF_OPENINGS = 0.025, 0.5
_WRONG = "not my password at all"

Move = Callable[[Person, Tokens], Awaitable[None]]


@dataclass
class Asker:
    """Asks one thing after the other through one client."""

    client: Client
    people: People
    random: Random
    operator: Operator
    ending: Ending = field(init=False)

    def __post_init__(self) -> None:
        """What ends accounts asks as this one does."""
        self.ending = Ending(self.people, self.operator, self.random, self._ask)

    async def go_on(self, stops: asyncio.Event) -> None:
        """Ask until the stop; what is under way then is left to `Client.persist`."""
        stopped = asyncio.create_task(stops.wait())
        while not stops.is_set():
            move = asyncio.create_task(self._one())
            await asyncio.wait([move, stopped], return_when=asyncio.FIRST_COMPLETED)
            if not move.done():
                move.cancel()
                await asyncio.wait([move])
            else:
                await move
                await asyncio.sleep(self.random.uniform(0, _PAUSE))
        await stopped

    async def _one(self) -> None:
        if self.client.left and self.random.random() < _SHARE_OF_RETURNS:
            await self.client.persist(self.client.left.pop(0), patience=_PATIENT)
            return
        if self.random.random() < 0.05:
            await self.register(self.people.new())
            return
        await self._about(self.people.somebody(_HOT))

    async def _about(self, person: Person) -> None:
        mine = person.of(self.client.client)
        if not person.is_known:
            await self.register(person)
        elif person.is_shut and self.random.random() < _SHARE_OF_OPENINGS:
            await self.ending.reactivate(person)
        elif person.user_id is not None and self.random.random() < _SHARE_OF_ENDS:
            await self.ending.one(person, mine)
        elif not mine:
            await self.log_in(person)
        else:
            moves: list[Move] = [self.refresh, self.log_out, self.update, self.asks]
            moves += [self.refresh, self.end_all, self.change_password, self.guess, self.log_in]
            tokens = self.random.choice(mine)
            await self.random.choice([*moves, self.log_in])(person, tokens)

    async def _ask(
        self, command: Command, person: Person, *, id_: UUID | None = None, **said: Any
    ) -> Asked:
        impatient = self.random.random() < _SHARE_OF_IMPATIENT
        patience = _IMPATIENT if impatient else _PATIENT
        said = {name: str(value) for name, value in said.items()}
        return await self.client.asks(command, person.email, patience=patience, id_=id_, **said)

    async def register(self, person: Person) -> None:
        password = person.passwords[-1]
        command = RegisterUser(email=person.email, password=secret(password))
        asked = await self._ask(command, person, password=password)
        match asked.decided:
            case Registered(user_id=user_id):
                if person.user_id is None:  # else others know it better by now
                    person.user_id, person.passwords = user_id, [password]
                person.is_known = True
            case Rejected(code=Code.EMAIL_TAKEN):
                person.is_known = True
            case _:
                pass

    async def log_in(self, person: Person, _: Tokens | None = None) -> None:
        password = self.random.choice(person.passwords)
        asked = await self._ask(
            LogIn(email=person.email, password=secret(password)), person, password=password
        )
        match asked.decided:
            case LoggedIn() as begun:
                person.user_id = begun.user_id
                person.holds(begun, self.client.client)
                if password == person.passwords[-1] and not person.changes:
                    person.passwords = [password]
            case Rejected() if person.user_id is None:  # maybe nobody of this address is there
                person.is_known = False
            case _:
                pass

    async def guess(self, person: Person, _: Tokens) -> None:
        command = LogIn(email=person.email, password=secret(_WRONG))
        await self._ask(command, person, password=_WRONG)

    async def refresh(self, person: Person, tokens: Tokens) -> None:
        id_ = tokens.session_id
        command = RefreshSession(session_id=id_, refresh_token=tokens.refresh_token)
        asked = await self._ask(command, person, session=id_)
        match asked.decided:
            case Refreshed() as refreshed:
                person.holds(refreshed, self.client.client)
            case Rejected(code=code) if code != Code.TOKEN_ROTATED:
                person.sessions.pop(id_, None)
            case _:
                pass

    async def log_out(self, person: Person, tokens: Tokens) -> None:
        id_ = tokens.session_id
        command = LogOut(session_id=id_, refresh_token=tokens.refresh_token)
        asked = await self._ask(command, person, session=id_)
        # Now and then somebody tries a session that is over.
        if isinstance(asked.decided, LoggedOut) and self.random.random() < 0.8:
            person.sessions.pop(id_, None)

    async def end_all(self, person: Person, tokens: Tokens) -> None:
        id_ = tokens.session_id
        command = EndAllSessions(access_token=tokens.access_token)
        asked = await self._ask(command, person, session=id_)
        if isinstance(asked.decided, AllSessionsEnded):
            person.keeps_only(id_)

    async def update(self, person: Person, tokens: Tokens) -> None:
        name = f"Ana {self.random.getrandbits(32):x}"
        command = UpdateProfile(
            access_token=tokens.access_token, profile_version=person.version, display_name=name
        )
        asked = await self._ask(command, person, session=tokens.session_id)
        match asked.decided:
            case ProfileSaved(profile_version=version):
                person.version = version
            case Rejected(code=Code.VERSION_CONFLICT):
                person.version += 1
            case _:
                pass

    async def asks(self, person: Person, tokens: Tokens) -> None:
        kind = self.random.choice([ListSessions, GetProfile])
        command = kind(access_token=tokens.access_token)
        await self._ask(command, person, session=tokens.session_id)

    async def change_password(self, person: Person, tokens: Tokens) -> None:
        if person.changes or len(person.passwords) > 1:
            return await self.log_in(person)
        (old,), new = person.passwords, self.people.password()
        person.changes, person.passwords = True, [old, new]
        command = ChangePassword(
            access_token=tokens.access_token,
            current_password=secret(old),
            new_password=secret(new),
        )
        id_ = tokens.session_id
        asked = await self._ask(command, person, session=id_, password=old, new_password=new)
        person.changes = False
        match asked.decided:
            case PasswordIsChanged():
                person.passwords = [new]
                person.keeps_only(id_)
            case Rejected():
                person.passwords = [old]
            case _:
                pass
        return None
