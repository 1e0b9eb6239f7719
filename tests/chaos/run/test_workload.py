"""People come and go: accounts are shut, opened and erased, and their addresses come back."""

# pyright: reportPrivateUsage=false

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, cast
from uuid import UUID

import pytest

from authbus import EraseAccount, EraseUser, LogIn, RegisterUser, Rejected, Reply
from authbus.commands import DeactivateUser, ReactivateUser
from authbus.message import Command
from authbus.replies import (
    Code,
    LoggedIn,
    Registered,
    Tokens,
    UserIsActive,
    UserIsDeactivated,
    UserIsErased,
)
from authbus_service.core.ids import new_id
from authbus_service.core.security.masters import Masters
from tests.chaos.run.client import Client
from tests.chaos.run.operator import Operator
from tests.chaos.run.people import People, Person, secret
from tests.chaos.run.workload import Asker

AT = datetime.now(UTC)
GONE = UserIsErased(user_id=new_id(), sessions_ended=1, commands_gone_at=AT)
UNKNOWN = Rejected.because(Code.USER_UNKNOWN)


def tokens(user: UUID) -> LoggedIn:
    return LoggedIn(
        user_id=user,
        session_id=new_id(),
        access_token=secret("access"),
        access_token_expires_at=AT,
        refresh_token=secret("refresh"),
        session_expires_at=AT,
    )


@dataclass
class Answered:
    """As much of what was asked as an asker looks at."""

    decided: Reply | None


@dataclass
class Yes:
    """A client that is told what a service would say where all goes well, or always the same."""

    says: Reply | None = None
    is_silent: bool = False
    client: str = "web"
    left: list[Any] = field(default_factory=list[Any])
    kinds: Counter[str] = field(default_factory=Counter[str])
    ids: list[UUID | None] = field(default_factory=list[UUID | None])
    without_session: set[str] = field(default_factory=set[str])

    async def asks(
        self, command: Command, _: str, *, patience: float, id_: UUID | None = None, **said: str
    ) -> Answered:
        assert patience
        self.kinds[type(command).__name__] += 1
        self.ids.append(id_)
        if not said.get("session"):
            self.without_session.add(type(command).__name__)
        return Answered(self.says or (None if self.is_silent else self._usual(command)))

    def _usual(self, command: Command) -> Reply | None:
        match command:
            case RegisterUser():
                return Registered(user_id=new_id())
            case LogIn():
                return tokens(new_id())
            case DeactivateUser(user_id=user):
                return UserIsDeactivated(user_id=user, sessions_ended=1)
            case ReactivateUser(user_id=user):
                return UserIsActive(user_id=user)
            case EraseUser() | EraseAccount():
                return GONE
            case _:
                return None


def asking(client: Yes) -> Asker:
    people, operator = People(Random(7)), Operator(Masters([bytes(range(32))]))
    for _ in range(48):
        people.new()
    return Asker(cast("Client", client), people, Random(7), operator)


def somebody(asker: Asker) -> tuple[Person, Tokens]:
    """Who is registered and has a session."""
    person, held = asker.people.all[3], tokens(new_id())
    person.is_known, person.user_id = True, held.user_id
    person.holds(held, "web")
    return person, held


async def test_two_in_a_hundred_moves_shut_or_erase_an_account() -> None:
    client = Yes()
    asker = asking(client)

    for _ in range(5000):
        await asker._one()

    ends = [client.kinds[each] for each in ("DeactivateUser", "EraseAccount", "EraseUser")]
    assert min(ends) >= 5
    assert 50 <= sum(ends) <= 150
    assert client.kinds["ReactivateUser"] >= client.kinds["DeactivateUser"] / 2


async def test_the_history_knows_of_each_command_by_which_session_it_was_asked() -> None:
    client = Yes()
    asker = asking(client)

    for _ in range(5000):
        await asker._one()

    by_nobody = {"RegisterUser", "LogIn", "DeactivateUser", "ReactivateUser", "EraseUser"}
    by_a_session = {"RefreshSession", "LogOut", "UpdateProfile", "GetProfile", "ListSessions"}
    by_a_session |= {"EndAllSessions", "ChangePassword", "EraseAccount"}
    assert client.without_session == by_nobody
    assert {*client.kinds} == by_nobody | by_a_session


@pytest.mark.parametrize("says", [GONE, UNKNOWN])
@pytest.mark.parametrize("by", ["user", "operator"])
async def test_who_was_erased_may_register_again_with_another_password(
    says: Reply, by: str
) -> None:
    asker = asking(Yes(says))
    before, held = somebody(asker)
    if by == "user":
        await asker.ending.erase_account(before, held)
    else:
        await asker.ending.erase_user(before)

    person = asker.people.all[3]
    assert (person.email, person.is_known, person.user_id) == (before.email, False, None)
    assert not person.sessions
    assert len(person.passwords) == 1
    assert {*person.passwords, *before.passwords} <= asker.people.secrets
    assert person.passwords != before.passwords


async def test_an_erasure_that_nobody_answered_leaves_the_old_password_possible() -> None:
    asker = asking(Yes(is_silent=True))
    before, held = somebody(asker)

    await asker.ending.erase_account(before, held)

    person = asker.people.all[3]
    assert not person.is_known
    assert person.passwords[:-1] == before.passwords


async def test_who_was_shut_is_opened_again() -> None:
    asker = asking(Yes())
    person, _ = somebody(asker)

    await asker.ending.deactivate(person)
    assert person.is_shut
    assert not person.sessions

    await asker.ending.reactivate(person)
    assert not person.is_shut


async def test_each_proof_is_for_its_command_and_none_may_be_read() -> None:
    client = Yes()
    asker = asking(client)
    person, _ = somebody(asker)

    await asker.ending.deactivate(person)
    await asker.ending.reactivate(person)

    assert len({*client.ids} - {None}) == 2
    assert len(asker.operator.secrets) == 2
