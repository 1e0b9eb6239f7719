"""What a rule expects of the service: an answer, what is told, what is mailed."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from authbus.code import Code as Refusal
from authbus.events import EndReason, SessionEnded, SessionStarted
from authbus.message import Event, Reply
from authbus_service.auth.mails import Template
from tests.model.people import Account, Code, Model, Pass, Session

_STEP = 30


@dataclass(frozen=True)
class By:
    """Under which id, and from which client, something is asked."""

    id: UUID
    client: str


@dataclass
class Told:
    """An event. An account or a session in `says` stands for its id."""

    kind: type[Event]
    who: Account
    says: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class Letter:
    """A mail; the text of its code is learnt from it."""

    template: Template
    address: str
    code: Code | None = None


@dataclass
class Expected:
    """What comes of a command. `learn` takes from the reply what cannot be known before."""

    answer: Refusal | type[Reply]
    says: dict[str, Any] = field(default_factory=dict[str, Any])
    told: list[Told] = field(default_factory=list[Told])
    mails: list[Letter] = field(default_factory=list[Letter])
    learn: Callable[[Any], None] = lambda _: None


def notice(account: Account, template: Template) -> list[Letter]:
    """What nobody asked for is mailed to an address that was shown, and to no other."""
    return [Letter(template, account.email)] if account.is_verified else []


def refused(why: Refusal, *told: Told) -> Expected:
    """A refusal, which may come with events."""
    return Expected(why, told=list(told))


def ended(model: Model, session: Session, reason: EndReason) -> Told:
    """The session is over."""
    session.ended = model.at
    return Told(SessionEnded, session.owner, {"session_id": session, "reason": reason})


def all_ended(
    model: Model, account: Account, reason: EndReason, but: Session | None = None
) -> list[Told]:
    """So are all of an account, or all but one."""
    return [ended(model, each, reason) for each in account.live(model.at) if each is not but]


def begun(model: Model, account: Account, client: str, amr: tuple[str, ...]) -> list[Told]:
    """A log-in: the oldest sessions beyond the limit end, the new one is the account's last."""
    live, policy, at = account.live(model.at), model.policy, model.at
    over = live[: max(0, len(live) + 1 - policy.sessions_per_user)] if account.email else []
    lasts = policy.session_lifetime if account.email else policy.access_token_lifetime
    expires = at + lasts
    session = Session(
        owner=account,
        client=client,
        amr=amr,
        started=at,
        shown=at,
        refreshed=at,
        expires=expires,
        lapses=min(at + policy.session_idle, expires),
    )
    account.sessions.append(session)
    says = {"session_id": session, "client_id": client, "amr": amr}
    says |= {"expires_at": session.expires, "lapses_at": session.lapses}
    limited = [ended(model, each, EndReason.LIMIT) for each in over]
    return [*limited, Told(SessionStarted, account, says)]


def take_tokens(model: Model, session: Session, reply: Any) -> None:
    """Keep what a reply gives for a session; its access token must say what is so."""
    until = min(model.at + model.policy.access_token_lifetime, session.expires)
    token = reply.access_token.get_secret_value()
    claims = json.loads(_decoded(token.split(".")[1]))
    owner = session.owner
    right = {
        "sub": str(owner.id),
        "sid": str(session.id),
        "amr": list(session.amr),
        "roles": sorted(owner.roles),
        "auth_time": int(session.shown.timestamp()),
        "exp": int(until.timestamp()),
    }
    wrong = {name: claims[name] for name in right if claims[name] != right[name]}
    if wrong or reply.access_token_expires_at != until:
        raise AssertionError(f"the access token says {wrong}, expected {right}")
    model.passes[token] = Pass(session, until.replace(microsecond=0))
    if refresh := getattr(reply, "refresh_token", None):
        session.refresh.append(refresh.get_secret_value())


def totp_code(secret: bytes, step: int) -> str:
    """RFC 6238, as any app has it."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def step_of(at: datetime) -> int:
    """The count of half minutes by which codes change."""
    return int(at.timestamp()) // _STEP


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
