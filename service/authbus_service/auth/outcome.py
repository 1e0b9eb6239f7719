"""What a handler decides: an answer and the events it causes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from authbus.events import AnyEvent
from authbus.message import Reply
from authbus.replies import Code, LoggedIn, Refreshed, Rejected
from authbus.second_factor import SecondFactorRequired, SteppedUp, TotpIsEnabled, TotpStarted
from authbus.service_accounts import ServiceLoggedIn, ServiceSecret
from authbus.state import UserState
from authbus_service.auth.guessing.attempt import Settled
from authbus_service.auth.mails import Mail
from authbus_service.auth.seen import Seen


class Draft(BaseModel):
    """A reply without its secrets: those are made of this and the command's own ones."""

    model_config = ConfigDict(frozen=True)

    becomes: ClassVar[type[Reply]]

    @classmethod
    def wire_type(cls) -> str:
        """The type of what becomes of it."""
        return cls.becomes.wire_type()


class Granted(Draft):
    """A `LoggedIn` without its tokens."""

    becomes: ClassVar[type[Reply]] = LoggedIn

    user_id: UUID
    session_id: UUID
    amr: tuple[str, ...]
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    auth_time: datetime
    issued_at: datetime
    access_token_expires_at: datetime
    session_expires_at: datetime

    is_known_device: bool = False


class Elevated(Granted):
    """A `SteppedUp` without its token."""

    becomes: ClassVar[type[Reply]] = SteppedUp


class Enrolling(Draft):
    """A `TotpStarted` without its secret."""

    becomes: ClassVar[type[Reply]] = TotpStarted


class Renewed(Granted):
    """The same for `Refreshed`."""

    becomes: ClassVar[type[Reply]] = Refreshed


class Enrolled(Draft):
    """A `TotpIsEnabled` without its recovery codes."""

    becomes: ClassVar[type[Reply]] = TotpIsEnabled


class Challenged(Draft):
    """A `SecondFactorRequired` without its challenge."""

    becomes: ClassVar[type[Reply]] = SecondFactorRequired

    expires_at: datetime


class ServiceGranted(Granted):
    """A `ServiceLoggedIn` without its token."""

    becomes: ClassVar[type[Reply]] = ServiceLoggedIn


class SecretMade(Draft):
    """A `ServiceSecret` without the secret."""

    becomes: ClassVar[type[Reply]] = ServiceSecret

    user_id: UUID
    expires_at: datetime


Answer = Reply | Draft
_DRAFTS: dict[str, type[Draft]] = {
    each.wire_type(): each
    for each in (
        Granted,
        Renewed,
        Enrolling,
        Enrolled,
        Challenged,
        Elevated,
        ServiceGranted,
        SecretMade,
    )
}


@dataclass(frozen=True, slots=True)
class Gone:
    """In place of a user's public state: a tombstone."""

    user_id: UUID

    @staticmethod
    def wire_type() -> str:
        """The type of what was there."""
        return UserState.wire_type()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One command's result. A refusal is an answer too and may come with events.

    `mails` are queued with the effect: `mails=notice(user, Template.PASSWORD_CHANGED)`.
    `settled` is what becomes of the attempt that the command made, if any. It counts from now on
    under those keys of its proof that are `counted`. Wrong guesses at `cleared` count no more.
    """

    answer: Answer
    events: tuple[AnyEvent, ...] = ()
    mails: tuple[Mail, ...] = ()
    settled: Settled = Settled.FREED
    counted: tuple[bytes, ...] = field(default=(), repr=False)
    cleared: tuple[bytes, ...] = field(default=(), repr=False)


def refused(code: Code, detail: str = "") -> Outcome:
    """A refusal that changes nothing."""
    return Outcome(Rejected.because(code, detail))


def stored(answer: Answer) -> dict[str, Any]:
    """What the inbox keeps of an answer; it has no secret in it."""
    return {"type": answer.wire_type(), "data": answer.model_dump(mode="json", exclude_none=True)}


def restored(outcome: Mapping[str, Any], replies: Mapping[str, type[Reply]]) -> Answer:
    """The answer that `stored` wrote down."""
    wire_type, data = outcome["type"], outcome["data"]
    drafts = _DRAFTS.get(wire_type)
    model = Seen if wire_type == Seen.wire_type() else drafts or replies[wire_type]
    return model.model_validate(data)
