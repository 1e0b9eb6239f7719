"""Ways to break what is done and said: the edit, and what must be found of it."""

from dataclasses import replace

from tests.chaos.checker.edits import (
    Edit,
    altered,
    answer,
    call,
    event,
    everywhere,
    exchanged,
    more,
    nowhere,
    said,
    stored,
    together,
    unsaid,
    without,
)
from tests.chaos.checker.findings import Invariant
from tests.chaos.checker.history import (
    Handled,
    Logged,
    Told,
)
from tests.chaos.checker.story import LOG, good

I1, I2, I3, I4, I5, I6, I7, I8, I9, I10 = Invariant
Case = tuple[Edit, Invariant, str, str]

BASE = good()
TOLD = {each.message.id: each for each in BASE.committed}
ANA_10 = replace(TOLD["ana-9"].message, id="ana-10", sequence=10, cause="c13", session="")

SWEPT = event("ana-4", cause="swept", kind="SessionEnded", session="s9", reason="idle")


def claimless(command: str) -> Edit:
    return without("inbox", lambda each: each.command == command)


def as_refused(command: str, code: str) -> Edit:
    """Client, answer and inbox agree that this was refused."""
    return together(
        call(command, ended="refused", code=code, session=""),
        answer(command, kind="Rejected", code=code, session="", user=""),
        altered("inbox", lambda each: each.command == command, kind="Rejected", code=code),
    )


EFFECTS: dict[str, Case] = {
    "two claims of one command": (
        more(inbox=(Handled("c03", "Rejected", "invalid_credentials"),)),
        I1, "claimed twice", "c03",
    ),
    "an effect that nobody claimed": (claimless("c05"), I1, "an effect without a claim", "c05"),
    "an unknown with an effect that nobody claimed": (
        claimless("c10"), I1, "an effect without a claim", "c10",
    ),
    "ok, and neither claim nor effect": (
        together(claimless("c05"), SWEPT),
        I1, "ok without a claim", "c05",
    ),
    "ok, and nothing happened": (
        SWEPT, I1, "ok without an effect", "c05",
    ),
    "one command has its effect twice": (
        together(
            event("ana-9", cause="c09", kind="SessionStarted", session="s4", reason=""), stored
        ),
        I1, "an effect twice", "c09",
    ),
    "an unknown has its effect twice": (
        together(everywhere(12, replace(ANA_10, cause="c10", kind="SessionEnded")), stored),
        I1, "an effect twice", "c10",
    ),
    "a refusal with an effect": (
        as_refused("c05", "invalid_token"), I1, "a refusal has an effect", "c05",
    ),
    "an effect of another kind": (
        together(event("ana-9", cause="c09", kind="RoleGranted", session="", reason=""), stored),
        I1, "an effect that is another command's", "c09",
    ),
    "a question that was claimed": (
        more(inbox=(Handled("c13", "UserProfile"),)), I1, "a question has an effect", "c13",
    ),
    "an effect of no command": (
        together(
            everywhere(12, replace(ANA_10, cause="c99", kind="RoleGranted", reason="")), stored
        ),
        I1, "an effect of no command", "c99",
    ),
    "a command that was done and buried": (
        more(dead=frozenset({"c05"})), I1, "buried, and nothing was wrong with it", "c05",
    ),
    "a record below the fence of which nothing is known": (
        more(log=(Logged(LOG, 5, "c99"),)), I1, "gone without a word", "c99",
    ),
}  # fmt: skip
SAYING: dict[str, Case] = {
    "an event that nobody gets": (unsaid("bob-2"), I2, "lost", "bob-2"),
    "an event in the middle that nobody gets": (unsaid("ana-5"), I2, "lost", "ana-5"),
    "an event twice": (
        more(committed=(replace(TOLD["ana-9"], offset=90),)), I2, "said twice", "ana-9",
    ),
    "an event that is said and kept": (
        more(waiting=frozenset({"bob-2"})), I2, "said and still waiting", "bob-2",
    ),
    "other bytes than written": (
        said("ana-5", digest="x"), I2, "said otherwise than written", "ana-5",
    ),
    "another key than written": (
        said("ana-5", key="x"), I2, "said otherwise than written", "ana-5",
    ),
    "a user on two partitions": (
        altered("committed", lambda each: each.message.id == "ana-9", partition=7),
        I2, "one key on two partitions", "events.v1 ana",
    ),
    "an event of a transaction that was rolled back": (
        more(committed=(Told(0, 90, ANA_10),), uncommitted=(Told(0, 90, ANA_10),)),
        I3, "said and never committed", "ana-10",
    ),
    "an aborted record of a transaction that was rolled back": (
        more(uncommitted=(Told(0, 90, ANA_10),)),
        I3, "an aborted record that was never committed", "ana-10",
    ),
    "a record that only some readers get": (
        without("uncommitted", lambda each: each.message.id == "ana-9"),
        I3, "only read_committed readers get it", "ana-9",
    ),
    "one of two events": (
        together(unsaid("ana-7"), more(waiting=frozenset({"ana-7"}))), I3, "torn", "c07 ana",
    ),
    "another command between two events": (
        together(
            event("ana-7", sequence=8),
            event("ana-8", sequence=7),
            exchanged("written", "position", "ana-7", "ana-8"),
            exchanged("committed", "offset", "ana-7", "ana-8"),
        ),
        I3, "split by another command", "c07 ana",
    ),
    "a number twice": (event("ana-5", sequence=4), I4, "one number twice", "ana"),
    "a number too many": (event("ana-9", sequence=10), I4, "a gap", "ana"),
    "an event that was never written": (
        together(nowhere("bob-1"), claimless("c11"), call("c11", ended="unknown", returned=None),
                 without("answers", lambda a: a.command == "c11"),
                 more(dead=frozenset({"c11"}), failed=frozenset({"c11"}))),
        I4, "a gap", "bob",
    ),
    "numbers that are not those of the commits": (
        together(event("ana-4", sequence=5), event("ana-5", sequence=4)),
        I4, "numbered otherwise than committed", "ana",
    ),
    "said in another order": (
        exchanged("committed", "offset", "ana-2", "ana-3"),
        I4, "said otherwise than committed", "ana",
    ),
    "somebody who did something before they were there": (
        together(event("ana-1", sequence=2), event("ana-2", sequence=1),
                 exchanged("written", "position", "ana-1", "ana-2"),
                 exchanged("committed", "offset", "ana-1", "ana-2")),
        I4, "created after something else", "ana",
    ),
    "somebody who lives on": (
        everywhere(12, replace(ANA_10, id="bob-3", key="bob", user="bob", sequence=3,
                               cause="swept", kind="SessionEnded", reason="idle"), partition=1),
        I4, "lives on after the erasure", "bob",
    ),
}  # fmt: skip
