"""What looks odd and is right passes."""

from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker.check import check
from tests.chaos.checker.edits import (
    Edit,
    altered,
    answered_again,
    call,
    more,
    put,
    together,
    unsaid,
    without,
)
from tests.chaos.checker.history import Held, History, Logged, Look, Offsets, Told
from tests.chaos.checker.story import LOG, a_day, an_evening, good

OTHERS = (("SessionEnded", "s5", "revoked"),)
ENDED = ("SessionEnded", "s4", "revoked")
ABORTED = Told(0, 90, good().committed[0].message)
SAME: Edit = together()


def locked() -> History:
    """A refused log-in that locks the account."""
    story = a_day()
    wrong = story.asks("c14", "LogIn", "ana", "refused", password="no", code="invalid_credentials")
    story.does(wrong, "ana", ("UserLocked", "", ""))
    return story.history()


def stolen() -> History:
    """A refused refresh that ends its session."""
    story = a_day()
    log_in = story.asks("c14", "LogIn", "ana", password="p2", session="s4")
    story.does(log_in, "ana", ("SessionStarted", "s4", ""))
    old = story.asks("c15", "RefreshSession", "ana", "refused", session="s4", code="invalid_token")
    story.does(old, "ana", ("SessionEnded", "s4", "token_reuse"))
    return story.history()


def swept() -> History:
    """A session that nobody ended, and so is over without a command."""
    story = a_day()
    log_in = story.asks("c14", "LogIn", "ana", password="p2", session="s4")
    story.does(log_in, "ana", ("SessionStarted", "s4", ""))
    story.writes("the sweeper", "ana", "SessionEnded", "s4", "idle")
    return story.history()


def born_again() -> History:
    """An address whose user was erased is another's."""
    story = a_day()
    again = story.asks("c14", "RegisterUser", "bob", password="b2")
    story.does(again, "bill", ("UserCreated", "", ""))
    return story.history()


def out_twice() -> History:
    """A second log-out is answered like the first, and says nothing."""
    story = a_day()
    story.does(story.asks("c14", "LogOut", "ana", session="s1"), "ana")
    return story.history()


def goes_on(kind: str, *events: tuple[str, str, str], **said: Any) -> History:
    """All other sessions end; the one that asked for it goes on."""
    story = an_evening()
    story.does(story.asks("c16", kind, "ana", session="s4", **said), "ana", *events)
    refresh = story.asks("c17", "RefreshSession", "ana", session="s4")
    story.does(refresh, "ana", ("SessionRefreshed", "s4", ""))
    story.hears(story.asks("c18", "GetProfile", "ana", session="s4"), "ana")
    return replace(story.history(), looks=(Look(session="s4", at=story.now + 60, taken=True),))


def begins_meanwhile() -> History:
    """A log-in that is under way while all sessions end may come after that."""
    story = an_evening()
    log_in = story.asks("c16", "LogIn", "ana", password="p2", session="s6")
    story.does(story.asks("c17", "EndAllSessions", "ana", session="s4"), "ana", *OTHERS)
    story.does(log_in, "ana", ("SessionStarted", "s6", ""))
    refresh = story.asks("c18", "RefreshSession", "ana", session="s6")
    story.does(refresh, "ana", ("SessionRefreshed", "s6", ""))
    return call("c16", returned=story.now - 1.6)(story.history())


def opened_again() -> History:
    """An account that was shut has new sessions once it is open."""
    story = an_evening()
    shut = ("UserDeactivated", "", "")
    story.does(story.asks("c16", "DeactivateUser", "ana"), "ana", shut, *OTHERS, ENDED)
    story.does(story.asks("c17", "ReactivateUser", "ana"), "ana", ("UserReactivated", "", ""))
    log_in = story.asks("c18", "LogIn", "ana", password="p2", session="s6")
    story.does(log_in, "ana", ("SessionStarted", "s6", ""))
    story.hears(story.asks("c19", "GetProfile", "ana", session="s6"), "ana")
    return replace(story.history(), looks=(Look(session="s6", at=story.now + 60, taken=True),))


def read_meanwhile() -> History:
    """A profile that was asked for before the log-out's answer, and came after it."""
    story = an_evening()
    story.hears(story.asks("c16", "GetProfile", "ana", session="s4"), "ana")
    story.does(story.asks("c17", "LogOut", "ana", session="s4"), "ana", ENDED)
    return call("c16", returned=story.now + 1)(story.history())


MADE = {
    "nothing happened": History(),
    "a wrong password that locks": locked(),
    "a stolen token that ends its session": stolen(),
    "a session that the sweeper ended": swept(),
    "an address of somebody erased is another's": born_again(),
    "a log-out of a session that is over": out_twice(),
    "a changed password, and the session that changed it goes on": goes_on(
        "ChangePassword",
        ("PasswordChanged", "", ""),
        *OTHERS,
        password="p2",
        new_password="p3",
    ),
    "all others end, and the session that asked for it goes on": goes_on("EndAllSessions", *OTHERS),
    "a log-in while all sessions end": begins_meanwhile(),
    "an account that is shut and opened": opened_again(),
    "a profile that is read while its session ends": read_meanwhile(),
}
EDITED: dict[str, Edit] = {
    "a day": SAME,
    "an unknown that had no effect": more(calls=(replace(good().calls[9], id="c99"),)),
    "a record that was sent twice, and answered twice": together(
        more(log=(Logged(LOG, 20, "c02"),)), answered_again("c02")
    ),
    "an answer that was lost": together(
        without("answers", lambda each: each.command == "c02"),
        call("c02", returned=None, ended="unknown"),
    ),
    "busy, and then done": answered_again("c02", kind="Rejected", code="busy", session="", user=""),
    "a command that waits above the fence": more(log=(Logged(LOG, 30, "c99"),)),
    "a dead letter": more(log=(Logged(LOG, 5, "c99"),), dead=frozenset({"c99"})),
    "a command that was let fail, and redriven": more(
        dead=frozenset({"c05"}), failed=frozenset({"c05"})
    ),
    "a question without an answer": without("answers", lambda each: each.command == "c13"),
    "an aborted record that was said again": more(uncommitted=(ABORTED,)),
    "an event that still waits": together(unsaid("bob-2"), more(waiting=frozenset({"bob-2"}))),
    "what a coordinator says whose peers have another": more(
        offsets=(
            Offsets(since=3, at=3, place=LOG, committed=11, fence=13, end=13, divided=True),
            Offsets(since=4, at=4, place=LOG, committed=13, fence=13, end=13),
        )
    ),
    "a refresh beside the end": together(
        call("c05", invoked=4.0, returned=5.9), call("c06", invoked=3.9, returned=4.8)
    ),
    "a token that is taken within the staleness": altered("looks", lambda each: each.taken, at=6.0),
    "a token that is refused after its end, and taken by who cannot know": more(
        looks=(
            Look(session="s1", at=9, taken=False, revoked=True, knows=8),
            Look(session="s1", at=9, taken=True, knows=5),
        )
    ),
    "a transaction that was aborted in time": put(settled=14.9),
    "as much at rest as there may be": more(held=(Held("fds", 120, 120),)),
    "a guess more for each lock that ran out": put(failures={"ana": 12}, locked_seconds=6.0),
    "right passwords that too many wrong ones shut out": together(
        put(guesses_at_once=1), call("c08", password="p2")
    ),
}


@pytest.mark.parametrize("name", [*MADE, *EDITED])
def test_a_good_history_passes(name: str) -> None:
    history = MADE[name] if name in MADE else EDITED[name](good())

    assert check(history) == []
