"""Ways to break answers, ends, bounds, offsets and secrets: the edit, what must be found."""

from base64 import b64encode
from dataclasses import replace

from tests.chaos.checker.edits import (
    Edit,
    altered,
    answer,
    answered_again,
    call,
    event,
    everywhere,
    exchanged,
    more,
    put,
    stored,
    together,
)
from tests.chaos.checker.findings import Invariant
from tests.chaos.checker.history import (
    Account,
    Handled,
    Held,
    Look,
    Offsets,
    Samples,
    Stable,
)
from tests.chaos.checker.linearizing import NEVER
from tests.chaos.checker.story import LOG, good

I1, I2, I3, I4, I5, I6, I7, I8, I9, I10 = Invariant
Case = tuple[Edit, Invariant, str, str]

BASE = good()
CALLS = {each.id: each for each in BASE.calls}
PLACE = "commands.credentials.v1 0"
ANA_9 = next(each.message for each in BASE.committed if each.message.id == "ana-9")
ANA_10 = replace(ANA_9, id="ana-10", sequence=10, cause="c13", session="")
TOKEN = "for-nobody-else-to-read-and-to-know"
LOOK = Offsets(since=3, at=3, place=LOG, committed=13, fence=13, end=13)


def replayed(**changes: object) -> Edit:
    before = BASE.replays[0].before
    after = replace(before, **changes)  # pyright: ignore[reportArgumentType]
    return put(replays=(replace(BASE.replays[0], after=after),))


ANSWERS: dict[str, Case] = {
    "yes and no": (
        answered_again("c05", kind="Rejected", code="expired", session="", user=""),
        I5, "two answers", "c05",
    ),
    "two refusals": (answered_again("c03", code="expired"), I5, "two answers", "c03"),
    "other tokens": (answered_again("c02", meaning="x"), I5, "two meanings", "c02"),
    "yes where the inbox says no": (
        altered("inbox", lambda each: each.command == "c05", kind="Rejected", code="expired"),
        I5, "an answer that is not the inbox's", "c05",
    ),
    "an answer that another client reads": (
        answered_again("c02", topic="replies.shell"), I5, "an answer on another's topic", "c02",
    ),
    "another correlation id": (
        answer("c02", correlation="x"), I5, "an answer under another correlation id", "c02",
    ),
    "an answer to another kind": (
        answer("c13", kind="LoggedOut"), I5, "an answer to another kind of command", "c13",
    ),
    "an answer to nobody": (
        answered_again("c02", command="c99"), I5, "an answer that nobody asked for", "c99",
    ),
    "another session": (answer("c02", session="s2"), I5, "an answer names another session", "c02"),
    "another user": (answer("c02", user="bob"), I5, "an answer names another user", "c02"),
}  # fmt: skip
REPLAYS: dict[str, Case] = {
    "a replay that changes a row": (
        replayed(tables={"users": "x", "sessions": "b"}), I6, "a table changed", "cold users",
    ),
    "a replay that drops a table": (
        replayed(tables={"users": "a"}), I6, "a table changed", "cold sessions",
    ),
    "a replay that tells an event": (
        replayed(events={("events.v1", 0): 10}), I6, "events came", "cold events.v1 0",
    ),
}  # fmt: skip
REGISTERS: dict[str, Case] = {
    "a refresh after the answer of the log-out": (
        call("c05", invoked=5.6, returned=5.9), I7, "a session goes on after its end", "s1",
    ),
    "a log-in with the password of before": (
        together(call("c04", invoked=6.6, returned=6.9)),
        I7, "an account is not as it was left", "ana c04",
    ),
    "the new password is refused": (
        call("c08", password="p2"), I7, "an account is not as it was left", "ana c08",
    ),
    "a password that was never right": (
        call("c09", password="x"), I7, "an account is not as it was left", "ana c09",
    ),
    "a log-in to an account that is shut": (
        more(calls=(replace(CALLS["c12"], id="c99", kind="DeactivateUser", subject="ana",
                            invoked=7.6, returned=7.9),),
             inbox=(Handled("c99", "UserIsDeactivated"),)),
        I7, "an account is not as it was left", "ana c09",
    ),
    "a log-in to an account that was erased": (
        together(
            everywhere(12, replace(ANA_10, id="bill-1", key="bill", user="bill", sequence=1,
                                   cause="c99", kind="SessionStarted", session="s5", reason="")),
            more(calls=(replace(CALLS["c12"], id="c99", kind="LogIn", password="b1", session="s5",
                                invoked=12.6, returned=12.9),),
                 inbox=(Handled("c99", "LoggedIn"),)),
            stored,
        ),
        I7, "an account is not as it was left", "bob c99",
    ),
    "an account is erased by another's password": (
        call("c12", kind="EraseAccount", password="x"),
        I7, "an account is not as it was left", "bob c12",
    ),
    "a token long after its session": (
        more(looks=(Look(session="s1", at=30, taken=True),)),
        I7, "a token is taken long after its session's end", "s1",
    ),
    "a token whose end its checker knows": (
        more(looks=(Look(session="s1", at=9, taken=True, knows=8),)),
        I7, "a token is taken although its session's end is known", "s1",
    ),
    "a token of a session that a changed password has ended": (
        more(looks=(Look(session="s2", at=9, taken=True, knows=8),)),
        I7, "a token is taken although its session's end is known", "s2",
    ),
    "a token that is revoked while its session lives": (
        more(looks=(Look(session="s9", at=20, taken=False, revoked=True),)),
        I7, "a token is revoked although its session never ended", "s9",
    ),
    "a session that is refreshed after its end": (
        together(event("ana-4", sequence=5), event("ana-5", sequence=4),
                 exchanged("written", "position", "ana-4", "ana-5"),
                 exchanged("committed", "offset", "ana-4", "ana-5")),
        I7, "an event of an ended session", "s1",
    ),
    "a session that starts twice": (
        together(event("ana-3", session="s1"), event("ana-7", session="s9"),
                 call("c04", session="s1"), answer("c04", session="s1"),
                 altered("sessions", lambda each: each.id == "s2", id="s9")),
        I7, "a session starts twice", "s1",
    ),
    "an open row of an ended session": (
        altered("sessions", lambda each: each.id == "s1", is_over=False),
        I7, "the row of an ended session is open", "s1",
    ),
    "a row of an erased user": (
        more(accounts=(Account("bob", 2, ()),)), I7, "an erased user has a row", "bob",
    ),
}  # fmt: skip
BOUNDS: dict[str, Case] = {
    "two users of an address": (
        more(accounts=(Account("bill", 0, ("ana@example.com",)),)),
        I8, "an address of two users", "ana@example.com",
    ),
    "a second registration beside a living user": (
        together(
            everywhere(12, replace(ANA_10, id="bill-1", key="bill", user="bill", sequence=1,
                                   cause="c99", kind="UserCreated")),
            more(calls=(replace(CALLS["c01"], id="c99", ended="unknown", returned=None,
                                invoked=11.0),), inbox=(Handled("c99", "Registered"),)),
            stored,
        ),
        I8, "registered while another lives", "ana",
    ),
    "eleven guesses": (put(failures={"ana": 11}), I8, "more guesses than allowed", "ana"),
}  # fmt: skip
OFFSETS: dict[str, Case] = {
    "an offset above the fence": (
        more(offsets=(replace(LOOK, committed=14, end=15),)),
        I9, "committed above the fence", f"{PLACE}: 14 above 13",
    ),
    "a fence above the end": (
        more(offsets=(replace(LOOK, fence=14),)),
        I9, "the fence is above the end", f"{PLACE}: 14 above 13",
    ),
    "a fence that goes back": (
        more(offsets=(replace(LOOK, at=3, fence=14, end=14), replace(LOOK, at=4, end=14))),
        I9, "the fence went back", f"{PLACE}: 14 to 13",
    ),
    "an offset that goes back by itself": (
        more(offsets=(replace(LOOK, committed=11),)),
        I9, "committed went back", f"{PLACE}: 13 to 11, fence 13, seen 2.0 s on",
    ),
    "an offset that goes back while the cluster is divided, and stays there": (
        more(
            offsets=(
                replace(LOOK, committed=12, divided=True), replace(LOOK, at=4, committed=12)
            )
        ),
        I9, "committed went back", f"{PLACE}: 13 to 12, fence 13, seen 3.0 s on",
    ),
    "an open transaction": (
        more(stable=(Stable(("events.v1", 1), 8, 9),)), I9, "a transaction hangs", "events.v1 1",
    ),
    "a transaction that ends late": (
        put(settled=15.5), I9, "a transaction hangs longer than 15 s", "15.5 s after the heal",
    ),
    "a transaction that ends never": (
        put(settled=NEVER), I9, "a transaction hangs longer than 15 s", "inf s after the heal",
    ),
}  # fmt: skip
LEAKS: dict[str, Case] = {
    "a password on a topic": (
        more(texts={"audit.v1": b'{"p":"staple-4711"}'}),
        I10, "a secret is readable", "audit.v1: secret 0",
    ),
    "a password in the log": (
        more(logs=('{"event":"staple-4711"}',)), I10, "a secret is readable", "the log: secret 0",
    ),
    "a token on a topic, in base64 of base64": (
        more(canaries=("aaaa", TOKEN), texts={"audit.v1": b"{" + b64encode(b"x" + TOKEN.encode())}),
        I10, "a secret is readable", "audit.v1: secret 2",
    ),
    "a password in the log, in base64": (
        more(logs=(f'{{"event":"{b64encode(b"staple-4711").decode()}"}}',)),
        I10, "a secret is readable", "the log: secret 0",
    ),
    "a traceback in the log": (
        more(logs=("Traceback (most recent call last):",)),
        I10, "a line of the log is no JSON", "3",
    ),
    "rows that nobody says": (
        more(held=(Held("rows in the outbox", 2, 0),)),
        I10, "more at rest than there may be", "rows in the outbox",
    ),
    "connections that nobody closes": (
        more(held=(Held("fds", 300, 120), Held("rss", 80, 120))),
        I10, "more at rest than there may be", "fds",
    ),
    "memory that grows": (
        more(samples=(Samples("fds", tuple((n * 60.0, float(n)) for n in range(30)), 5.0),)),
        I10, "grows", "fds",
    ),
}  # fmt: skip
