"""What may be put into a command: mostly what is good, now and then what is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from uuid import UUID

from pydantic import SecretStr

from authbus_service.core.security.operator import operator_token
from tests.model.entering import BAD_PASSWORDS, NO_ADDRESS, PASSWORDS, PLACES
from tests.model.expected import By, step_of, totp_code
from tests.model.people import Account, Model, Session
from tests.model.service import ISSUER, MASTERS

T = TypeVar("T")

ADDRESSES = tuple(f"{name}@example.com" for name in ("ana", "bela", "cees", "dora"))
NOBODY = UUID(int=0x7 << 76 | 0b10 << 62)
GARBAGE = "no such thing"
ROLES = ("helper", "clerk", "admin", "undeclared")
_SELDOM = [False] * 6 + [True]


class Choose(Protocol):
    """Takes one of some things: by Hypothesis, which finds the shortest way, or by a seed."""

    def __call__(self, options: Sequence[T], /) -> T: ...


@dataclass
class Making:
    """Makes the parts of one command. `by` is under which id it will be asked.

    Whoever `stumbles` is wrong more often.
    """

    model: Model
    choose: Choose
    by: By
    stumbles: bool = False

    def rarely(self) -> bool:
        return self.choose([False, True] if self.stumbles else _SELDOM)

    def mostly(self, good: Sequence[T], others: Sequence[T]) -> T:
        """One of the good ones, where there is one; now and then another."""
        if good and (not others or not self.rarely()):
            return self.choose(good)
        return self.choose(others)

    def address(self) -> str:
        """Of somebody who is here, or of anybody."""
        here = [each.email for each in self._people()]
        found = self.mostly(here, [*ADDRESSES, NO_ADDRESS])
        return found.title() if self.rarely() and "@" in found else found

    def new_address(self) -> str:
        free = [each for each in ADDRESSES if self.model.by_address(each) is None]
        return self.mostly(free, [*ADDRESSES, NO_ADDRESS])

    def password(self, of: Account | None) -> SecretStr:
        """Theirs."""
        theirs = [] if of is None or of.password is None else [of.password]
        return SecretStr(self.mostly(theirs, PASSWORDS))

    def new_password(self) -> SecretStr:
        return SecretStr(self.mostly(PASSWORDS, [*BAD_PASSWORDS]))

    def place(self) -> str | None:
        return self.choose([None, *PLACES])

    def device(self, of: Account | None) -> tuple[str | None, SecretStr | None]:
        """A device's name, and its token where it is known, or another's."""
        every = [token for each in self.model.accounts for token in each.devices]
        theirs = [] if of is None else of.devices
        match self.choose(["none", "named", "known"]):
            case "known":
                return None, SecretStr(self.mostly(theirs, [*every, GARBAGE]))
            case "named":
                return "a phone", None
            case _:
                return None, None

    def session(self) -> Session | None:
        """One that goes on, or any."""
        every = self.model.sessions
        live = [each for each in every if each.is_live(self.model.at)]
        return self.mostly(self._near(live), every) if every else None

    def token(self) -> SecretStr:
        """An access token that is good, or any other."""
        every = [*self.model.passes]
        good = [each for each in every if self.model.holder(each)]
        owner = {each: self.model.passes[each].session.owner for each in good}
        near = [each for each in good if owner[each] is self.model.focus]
        return SecretStr(
            self.mostly(near or good, [*every, *[*self.model.operators][-2:], GARBAGE])
        )

    def owner(self, token: SecretStr) -> Account | None:
        """Whose token it is."""
        found = self.model.passes.get(token.get_secret_value())
        return None if found is None else found.session.owner

    def admin(self) -> SecretStr:
        """An operator's proof, the token of a user with a role, or any."""
        proof = operator_token(MASTERS, issuer=ISSUER, command_id=self.by.id, at=self.model.at)
        self.model.operators[proof] = self.by.id
        roles = [
            each
            for each, held in self.model.passes.items()
            if held.session.owner.roles and self.model.holder(each)
        ]
        return SecretStr(self.choose([proof, proof, *roles[-2:], self.token().get_secret_value()]))

    def account(self, *, machine: bool | None = None) -> UUID:
        """Somebody's id."""
        every = [each for each in self.model.accounts if each.id is not None]
        wanted = [each for each in every if machine in {None, not each.email}]
        near = [each for each in wanted if each is self.model.focus]
        others = [*every, *self.model.gone]
        found = self.mostly(near or wanted, others) if others else None
        return NOBODY if found is None or found.id is None or self.rarely() else found.id

    def code(self, *purposes: str) -> SecretStr:
        """A code that is open, or one that is not, or is for something else."""
        every = [each for each in self.model.codes if each.text]
        good = [each for each in every if any(each.is_open(p, self.model.at) for p in purposes)]
        near = [each for each in good if each.owner is self.model.focus]
        spent = [each for each in every if each.purpose in purposes] or every
        texts = [each.text for each in near or good], [each.text for each in spent]
        return SecretStr(self.mostly(texts[0], [*texts[1], GARBAGE]))

    def factor_code(self, of: Account | None) -> SecretStr:
        """Of the app as it is now or was just before; a recovery code; one that was used."""
        factor = None if of is None else of.factor
        if factor is None:
            return SecretStr("123456")
        now = step_of(self.model.at)
        fresh = [step for step in (now, now - 1, now + 1) if step > factor.last]
        good = [totp_code(factor.secret, step) for step in fresh] + factor.recovery[:1]
        stale = [totp_code(factor.secret, step) for step in (factor.last, now - 2, now + 2)]
        return SecretStr(self.mostly(good, [*stale, *factor.used, "000000", GARBAGE]))

    def _people(self) -> list[Account]:
        people = [each for each in self.model.accounts if each.email]
        near = [each for each in people if each is self.model.focus]
        return self.choose([near, people]) if near else people

    def _near(self, sessions: list[Session]) -> list[Session]:
        return [each for each in sessions if each.owner is self.model.focus] or sessions
