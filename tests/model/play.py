"""A play: commands, one after the other, each held against the model before the next."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from authbus.commands import ConfirmEmailChange, LogIn, RefreshSession, RegisterUser, VerifyEmail
from authbus.contract import ROWS, Row
from authbus.message import Command, Reply
from authbus.password_commands import CompletePasswordReset
from authbus.password_replies import PasswordIsVoid, ResetIsRequested
from authbus.replies import Code as Refusal
from authbus.replies import (
    LoggedIn,
    MailQueued,
    Refreshed,
    Registered,
    Rejected,
    UserIsImported,
)
from authbus.second_factor import (
    CompleteLogIn,
    ConfirmTotp,
    SecondFactorRequired,
    StartTotp,
    TotpIsEnabled,
    TotpStarted,
)
from authbus.service_accounts import LogInService, ServiceSecret
from tests.model.choosing import ADDRESSES, Choose, Making
from tests.model.entering import PASSWORDS
from tests.model.expected import By, Expected, Letter, Told
from tests.model.guesses import Guesses
from tests.model.making import MAKERS
from tests.model.people import Account, Model, Session
from tests.model.service import POLICY, Service, command_id
from tests.model.sessions import swept
from tests.model.table import RULES

PAUSES = (
    *(timedelta(seconds=each) for each in (1, 2, 11, 31, 61) * 3),
    *(timedelta(minutes=each) for each in (6, 11, 16, 61)),
    *(timedelta(hours=each) for each in (23, 25, 80, 200)),
)
_LONG = re.compile(r"(\w{4})[\w.-]{30,}(\w{6})")
_FIRST = SecretStr(PASSWORDS[0])
SHORTLY = (*PAUSES[:5], timedelta(minutes=16))
_ROWS: dict[type[Command], Row] = {row.command: row for row in ROWS}
_HOUSE = timedelta(hours=1)
_TICK = timedelta(milliseconds=1)
# What somebody does next who was answered so.
_NEXT: Mapping[type[Reply], type[Command]] = {
    Registered: LogIn,
    UserIsImported: LogIn,
    LoggedIn: StartTotp,
    TotpStarted: ConfirmTotp,
    TotpIsEnabled: LogIn,
    SecondFactorRequired: CompleteLogIn,
    Refreshed: RefreshSession,
    ServiceSecret: LogInService,
    ResetIsRequested: CompletePasswordReset,
    PasswordIsVoid: CompletePasswordReset,
}
_AGAIN = (Refusal.INVALID_CREDENTIALS, Refusal.CODE_INVALID, Refusal.STEP_UP_REQUIRED)


class Play:
    """`trail` is all that happened, `met` counts answers and events.

    In some plays everybody `stumbles` all the time.
    """

    def __init__(self, service: Service, choose: Choose, *, stumbles: bool = False) -> None:
        self.service, self.choose, self.stumbles = service, choose, stumbles
        self.model = Model(POLICY, Guesses(POLICY.guessing))
        self.trail: list[str | tuple[datetime, Command | Reply]] = []
        self.met = Counter[str]()
        self.number = 0

    def begin(self) -> None:
        """Two people are here, and have logged in."""
        for email in ADDRESSES[:2]:
            self.ask(RegisterUser(email=email, password=_FIRST), self.by())
            self.ask(LogIn(email=email, password=_FIRST), self.by())

    def step(self, kind: type[Command]) -> None:
        """A command of this kind, and now and then what follows from its answer.

        Who was refused may try the same again, at once or a little later, and stumbles more.
        """
        wanted: type[Command] | None = kind
        stumbles = self.stumbles
        while wanted is not None:
            by = self.by()
            command = MAKERS[wanted](Making(self.model, self.choose, by, stumbles))
            reply = self.ask(command, by)
            stumbles = self.stumbles or isinstance(reply, Rejected | Refreshed)
            wanted = self._follows(wanted, reply)
            if wanted is not None:
                wanted = self.choose([wanted, wanted, None])
            if stumbles and wanted is not None and self.choose([False, True]):
                self.wait(self.choose(SHORTLY))

    def by(self) -> By:
        """Under which id and from where the next command comes."""
        self.wait(_TICK)
        self.number += 1
        return By(command_id(self.model.at, self.number), self.choose(["web"] * 5 + ["demo"]))

    def ask(self, command: Command, by: By) -> Reply:
        """Ask, and hold what comes of it against the rule."""
        self.model.client = by.client
        expected = RULES[type(command)](self.model, command, by)
        self._note(command)
        reply = self.service.ask(command, by)
        self._note(reply)
        self.met[_named(reply)] += 1
        self._answered(expected, reply)
        self._named_by_the_contract(type(command), expected)
        self._told(expected.told, expected.mails, by)
        return reply

    def wait(self, pause: timedelta) -> None:
        """Time passes."""
        self.model.at += pause
        self.service.move(self.model.at)
        if pause >= _HOUSE:
            self.service.keep_house()
            self.model.forget()
        if pause > _TICK:
            self.trail.append(f"{pause} pass")

    def sweep(self) -> None:
        """Sessions that are over end, nobody having asked."""
        told = swept(self.model)
        self.trail.append("sessions are swept")
        self.service.sweep()
        self._told(told, [], None)

    def nothing_more(self) -> None:
        """Nothing was told or mailed, and all stands as it did."""
        self._told([], [], None)

    def _answered(self, expected: Expected, reply: Reply) -> None:
        answer = _named(reply)
        if isinstance(expected.answer, Refusal):
            self.check("the answer", answer, str(expected.answer))
            return
        self.check("the answer", answer, expected.answer.__name__)
        expected.learn(reply)
        self._says("the answer", reply, expected.says)

    def _named_by_the_contract(self, kind: type[Command], expected: Expected) -> None:
        """What is told and answered stands in the contract's row of the command."""
        row = _ROWS[kind]
        strange = {each.kind for each in expected.told} - {*row.events}
        self.check(f"events beyond the contract's for {kind.__name__}", strange, set[object]())
        if not isinstance(expected.answer, Refusal):
            self.check("among the contract's answers", expected.answer in row.replies, right=True)

    def _told(self, told: Sequence[Told], letters: Sequence[Letter], by: By | None) -> None:
        events, mails = self.service.news()
        kinds = [type(each).__name__ for each in events]
        self.check("events", kinds, [each.kind.__name__ for each in told])
        for event, right in zip(events, told, strict=True):
            self.met[type(event).__name__] += 1
            right.who.events += 1
            says = {"user_id": right.who, "sequence": right.who.events, **right.says}
            self._says(f"the event {type(event).__name__}", event, says)
            if by is not None:
                self.check("its cause", event.causation_id, by.id)
        sent = sorted((each.template, each.address) for each in mails)
        self.check("mails", sent, sorted((each.template, each.address) for each in letters))
        codes = {each.template: each.code for each in mails}
        for letter in letters:
            if letter.code is not None:
                letter.code.text = codes[letter.template] or ""
        self._stands()

    def _stands(self) -> None:
        """The tables are as the model has it."""
        seen, right = self.service.seen(), self.model.seen()
        self.check("users", seen.users, right.users)
        self.check("addresses", seen.addresses, right.addresses)
        self.check("sessions that go on", seen.live, right.live)
        self.check("erased users", seen.gone, right.gone)

    def _says(self, what: str, message: Any, says: Mapping[str, Any]) -> None:
        for name, value in says.items():
            right = value.id if isinstance(value, Account | Session) else value
            self.check(f"{what}: {name}", getattr(message, name), right)

    def check(self, what: str, found: object, right: object) -> None:
        """Raise AssertionError, with the whole way here, when they differ."""
        if found != right:
            way = "\n".join(map(_line, self.trail))
            raise AssertionError(f"{what}: {found!r}, expected {right!r}, after\n{way}")

    def _note(self, message: Command | Reply) -> None:
        self.trail.append((self.model.at, message))

    def _follows(self, kind: type[Command], reply: Reply) -> type[Command] | None:
        if isinstance(reply, Rejected):
            return kind if reply.code in _AGAIN else None
        if isinstance(reply, MailQueued):
            return ConfirmEmailChange if kind.__name__ == "ChangeEmail" else VerifyEmail
        return _NEXT.get(type(reply))


def _line(step: str | tuple[datetime, Command | Reply]) -> str:
    if isinstance(step, str):
        return step
    at, message = step
    said = _LONG.sub(r"\1..\2", message.model_dump_json(exclude_unset=True))
    return f"{at:%d %H:%M:%S.%f} {type(message).__name__} {said}"


def _named(reply: Reply) -> str:
    """A code, or the kind of answer."""
    return str(reply.code) if isinstance(reply, Rejected) else type(reply).__name__
