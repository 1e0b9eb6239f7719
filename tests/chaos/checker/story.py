"""A right history made by hand, told command by command, and small changes that spoil it."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.chaos.checker.history import (
    Account,
    Answer,
    Call,
    Ended,
    Handled,
    History,
    Logged,
    Look,
    Message,
    Offsets,
    Replay,
    Row,
    Samples,
    Session,
    Stable,
    State,
    Told,
)
from tests.chaos.checker.kinds import EVENTS_TOPIC, REJECTED, REPLIES

REPLY_TOPIC = "replies.web"
LOG = ("commands.credentials.v1", 0)
PARTITIONS = {"ana": 0, "bob": 1}
Edit = Callable[[History], History]


@dataclass
class Story:
    """A service that does everything right, in memory; each command takes a second."""

    now: float = 0.0
    calls: list[Call] = field(default_factory=list[Call])
    answers: list[Answer] = field(default_factory=list[Answer])
    inbox: list[Handled] = field(default_factory=list[Handled])
    written: list[Row] = field(default_factory=list[Row])
    counts: dict[str, int] = field(default_factory=dict[str, int])

    def asks(self, id_: str, kind: str, subject: str, ended: Ended = "ok", **more: Any) -> Call:
        """A command that is invoked, and returned from unless its end is unknown."""
        invoked, self.now = self.now, self.now + 1
        returned = None if ended == "unknown" else invoked + 0.5
        call = Call(
            id=id_,
            kind=kind,
            client="web",
            subject=subject,
            invoked=invoked,
            returned=returned,
            ended=ended,
            reply_topic=REPLY_TOPIC,
            **more,
        )
        self.calls.append(call)
        return call

    def does(self, call: Call, user: str, *events: tuple[str, str, str]) -> None:
        """Its claim and its events (kind, session, reason) in one transaction, then its answer."""
        refused = bool(call.code)
        kind = REJECTED if refused else min(REPLIES[call.kind])
        self.inbox.append(Handled(call.id, kind, call.code))
        for kind_, session, reason in events:
            self.writes(call.id, user, kind_, session, reason)
        if call.returned is not None:
            self.hears(call, user)

    def writes(self, cause: str, user: str, kind: str, session: str = "", reason: str = "") -> None:
        """One more event of a user, in the transaction of its command."""
        self.counts[user] = self.counts.get(user, 0) + 1
        id_ = f"{user}-{self.counts[user]}"
        event = Message(
            id=id_,
            topic=EVENTS_TOPIC,
            key=user,
            kind=kind,
            digest=f"digest of {id_}",
            cause=cause,
            user=user,
            sequence=self.counts[user],
            session=session,
            reason=reason,
        )
        self.written.append(Row(len(self.written) + 1, len(self.calls), event))

    def hears(self, call: Call, user: str) -> None:
        """The answer to a command."""
        answer = Answer(
            command=call.id,
            correlation=call.id,
            topic=REPLY_TOPIC,
            kind=REJECTED if call.code else min(REPLIES[call.kind]),
            code=call.code,
            session="" if call.code else call.session,
            user="" if call.code else user,
            meaning=f"meaning of {call.id}",
        )
        self.answers.append(answer)

    def history(self) -> History:
        """All of it, with everything said and everything at rest."""
        said = tuple(
            Told(PARTITIONS.get(row.message.user, 2), row.position, row.message)
            for row in self.written
        )
        return History(
            calls=tuple(self.calls),
            log=tuple(Logged(LOG, n, each.id) for n, each in enumerate(self.calls)),
            answers=tuple(self.answers),
            committed=said,
            uncommitted=said,
            written=tuple(self.written),
            inbox=tuple(self.inbox),
            **tables(self.written),
            **_at_rest(len(self.calls)),
        )


def tables(written: Iterable[Row]) -> dict[str, Any]:
    """What the tables hold after these events, in the order of their positions."""
    events = [row.message for row in sorted(written, key=lambda row: row.position)]
    over = {each.session for each in events if each.kind == "SessionEnded"}
    erased = {each.user for each in events if each.kind == "UserErased"}
    shut = {each.user: each.kind == "UserDeactivated" for each in events if "tivated" in each.kind}
    return {
        "accounts": tuple(
            Account(user, count, (f"{user}@example.com",), is_active=not shut.get(user, False))
            for user, count in Counter(each.user for each in events).items()
            if user not in erased
        ),
        "sessions": tuple(
            Session(each.session, each.user, each.session in over)
            for each in events
            if each.kind == "SessionStarted" and each.user not in erased
        ),
        "erased": frozenset(erased),
    }


def _at_rest(end: int) -> dict[str, Any]:
    state = State({"users": "a", "sessions": "b"}, {("events.v1", 0): 9})
    return {
        "failures": {"ana": 1},
        "offsets": (
            Offsets(since=1, at=1, place=LOG, committed=2, fence=3, end=4),
            Offsets(since=2, at=2, place=LOG, committed=end, fence=end, end=end),
        ),
        "stable": (Stable(("events.v1", 0), 9, 9),),
        "replays": (Replay("cold", state, state),),
        "logs": ('{"event":"starts"}', '{"event":"stops"}'),
        "canaries": ("staple-4711",),
        "texts": {"events.v1": b'{"user_id":"ana"}'},
        "samples": (Samples("rss", tuple((n * 60.0, 100.0 + n % 2) for n in range(30)), 5.0),),
    }


def a_day() -> Story:
    """Two people, wrong passwords, ended sessions, a changed password, an erasure, an unknown."""
    story = Story()
    asks, does = story.asks, story.does
    does(asks("c01", "RegisterUser", "ana", password="p1"), "ana", ("UserCreated", "", ""))
    log_in = asks("c02", "LogIn", "ana", password="p1", session="s1")
    does(log_in, "ana", ("SessionStarted", "s1", ""))
    does(asks("c03", "LogIn", "ana", "refused", password="no", code="invalid_credentials"), "ana")
    log_in = asks("c04", "LogIn", "ana", password="p1", session="s2")
    does(log_in, "ana", ("SessionStarted", "s2", ""))
    refresh = asks("c05", "RefreshSession", "ana", session="s1")
    does(refresh, "ana", ("SessionRefreshed", "s1", ""))
    log_out = asks("c06", "LogOut", "ana", session="s1")
    does(log_out, "ana", ("SessionEnded", "s1", "logout"))
    does(
        asks("c07", "ChangePassword", "ana", password="p1", new_password="p2"),
        "ana",
        ("PasswordChanged", "", ""),
        ("SessionEnded", "s2", "password_changed"),
    )
    does(asks("c08", "LogIn", "ana", "refused", password="p1", code="invalid_credentials"), "ana")
    log_in = asks("c09", "LogIn", "ana", password="p2", session="s3")
    does(log_in, "ana", ("SessionStarted", "s3", ""))
    log_out = asks("c10", "LogOut", "ana", "unknown", session="s3")
    does(log_out, "ana", ("SessionEnded", "s3", "logout"))
    does(asks("c11", "RegisterUser", "bob", password="b1"), "bob", ("UserCreated", "", ""))
    does(asks("c12", "EraseUser", "bob"), "bob", ("UserErased", "", ""))
    story.hears(asks("c13", "GetProfile", "ana"), "ana")
    return story


def an_evening() -> Story:
    """The same day, after which Ana has two sessions, s4 and s5."""
    story = a_day()
    for session in ("s4", "s5"):
        log_in = story.asks(f"begin {session}", "LogIn", "ana", password="p2", session=session)
        story.does(log_in, "ana", ("SessionStarted", session, ""))
    return story


def good() -> History:
    """The same as a history, with a token that was looked at before and after its end."""
    looks = (Look(session="s1", at=3, taken=True), Look(session="s1", at=40, taken=False))
    return replace(a_day().history(), looks=looks)
