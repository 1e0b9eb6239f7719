"""One person who lives on, and what the service must know of them because it said so."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import pytest

from authbus import AuthClient, AuthRejected
from authbus.client import Session
from authbus.replies import Code
from tests.drill.asking import asked
from tests.drill.mailbox import Mailbox

CLERK = "clerk"
WRONG = "not my password at all"
_MOST_SESSIONS = 4

Move = Callable[[], Awaitable[None]]


@dataclass
class Town:
    """What all share. `root` is an administrator's access token."""

    auth: AuthClient
    mailbox: Mailbox
    root: str = ""


@dataclass
class Person:
    """Changes only when the service has answered that it is so."""

    town: Town
    random: Random
    email: str
    password: str
    user_id: UUID | None = None
    name: str | None = None
    version: int = 0
    is_clerk: bool = False
    is_erased: bool = False
    sessions: dict[UUID, Session] = field(default_factory=dict[UUID, Session])
    ended: list[Session] = field(default_factory=list[Session])
    moved: bool = False
    reset_once: bool = False

    async def is_born(self) -> bool:
        """Register, and log in; False when somebody else had the address first."""
        try:
            user = await asked(self.town.auth.register, self.email, self.password)
        except AuthRejected as refused:
            if refused.code != Code.EMAIL_TAKEN:
                raise
            return False
        self.user_id = user.user_id
        await self.log_in()
        return True

    async def lives(self, moves: int, *, mails: bool) -> None:
        """Do so many things, one after the other; with `mails` also what needs one."""
        for _ in range(moves):
            if not self.is_erased:
                await self.random.choice(self._moves(mails=mails))()

    def _moves(self, *, mails: bool) -> Sequence[Move]:
        if not self.sessions:
            return [self.log_in]
        found = [self.log_in, self.refresh, self.log_out, self.rename, self.guess_wrong]
        found += [self.end_others, self.change_password, self.change_role, self.is_suspended]
        if mails and not self.moved:
            found.append(self.move)
        if mails and not self.reset_once:
            found.append(self.forget_password)
        return found

    def _any(self) -> Session:
        return self.random.choice(list(self.sessions.values()))

    def _end(self, *, but: UUID | None = None) -> None:
        self.ended += [each for each in self.sessions.values() if each.session_id != but]
        self.sessions = {id_: each for id_, each in self.sessions.items() if id_ == but}

    def _new_password(self) -> str:
        return f"staple {self.random.getrandbits(64):x} together"

    async def log_in(self) -> None:
        if len(self.sessions) >= _MOST_SESSIONS:
            return await self.log_out()
        session = await asked(self.town.auth.log_in, self.email, self.password)
        self.sessions[session.session_id] = session
        return None

    async def log_out(self) -> None:
        session = self._any()
        await asked(self.town.auth.log_out, session)
        self.ended.append(self.sessions.pop(session.session_id))

    async def refresh(self) -> None:
        session = await asked(self.town.auth.refresh, self._any())
        self.sessions[session.session_id] = session

    async def rename(self) -> None:
        token, name = self._any().access_token, f"Ana {self.random.getrandbits(32):x}"
        update = self.town.auth.profile.update
        self.version = await asked(update, token, self.version, display_name=name)
        self.name = name

    async def guess_wrong(self) -> None:
        with pytest.raises(AuthRejected, match="invalid_credentials"):
            await asked(self.town.auth.log_in, self.email, WRONG)
        await self.log_in()

    async def end_others(self) -> None:
        session = self._any()
        await asked(self.town.auth.sessions.end_all, session.access_token)
        self._end(but=session.session_id)

    async def change_password(self) -> None:
        session, new = self._any(), self._new_password()
        change = self.town.auth.passwords.change
        await asked(change, session.access_token, self.password, new)
        self.password = new
        self._end(but=session.session_id)

    async def change_role(self) -> None:
        admin = self.town.auth.admin
        change = admin.revoke_role if self.is_clerk else admin.grant_role
        await asked(change, self.town.root, self.user_id, CLERK)
        self.is_clerk = not self.is_clerk

    async def is_suspended(self) -> None:
        await asked(self.town.auth.admin.deactivate, self.town.root, self.user_id)
        self._end()
        with pytest.raises(AuthRejected, match="invalid_credentials"):
            await asked(self.town.auth.log_in, self.email, self.password)
        await asked(self.town.auth.admin.reactivate, self.town.root, self.user_id)

    async def move(self) -> None:
        """To another address, which is theirs once they show its code."""
        self.moved = True
        address, token = f"new-{self.email}", self._any().access_token
        await asked(self.town.auth.email.change, token, self.password, address)
        code = await self.town.mailbox.code(address, "change-email")
        await asked(self.town.auth.email.confirm_change, code)
        self.email = address

    async def forget_password(self) -> None:
        self.reset_once = True
        await asked(self.town.auth.passwords.request_reset, self.email)
        code = await self.town.mailbox.code(self.email, "reset-password")
        self.password = self._new_password()
        await asked(self.town.auth.passwords.reset, code, self.password)
        self._end()

    async def is_erased_now(self) -> None:
        """By themselves; their address is free again."""
        if not self.sessions:
            await self.log_in()
        await asked(self.town.auth.account.erase, self._any().access_token, self.password)
        self.is_erased = True
        self._end()
