"""Ways to go on after an end that no event tells of: the history, what must be found.

Where no event ends a session its row is open too, which is found beside.
"""

from dataclasses import replace
from typing import Any

from tests.chaos.checker.edits import Edit
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import History, Look
from tests.chaos.checker.story import Story, an_evening

Case = tuple[Edit, Invariant, str, str, *tuple[Finding, ...]]
_GOES_ON = "a session goes on after its end"
_IS_TAKEN = "a token is taken long after its session's end"
_OUT = ("SessionEnded", "s5", "logout")
_CHANGES = {"session": "s4", "password": "p2", "new_password": "p3"}


def _ended(kind: str, *events: tuple[str, str, str], **said: Any) -> Story:
    """Something ends s5, and these are its only events."""
    story = an_evening()
    story.does(story.asks("the end", kind, "ana", **said), "ana", *events)
    return story


def _used(story: Story, kind: str, *events: tuple[str, str, str]) -> History:
    use = story.asks("a use", kind, "ana", session="s5")
    if kind == "GetProfile":
        story.hears(use, "ana")
    else:
        story.does(use, "ana", *events)
    return story.history()


def _refreshed(story: Story) -> History:
    return _used(story, "RefreshSession", ("SessionRefreshed", "s5", ""))


def _looked(story: Story) -> History:
    """A minute later somebody takes its token."""
    look = Look(session="s5", at=story.now + 60, taken=True)
    return replace(story.history(), looks=(look,))


def _twice() -> Story:
    """The first log-out, which told of the end, is never answered; the second is."""
    story = an_evening()
    story.does(story.asks("the end", "LogOut", "ana", "unknown", session="s5"), "ana", _OUT)
    story.does(story.asks("the end again", "LogOut", "ana", session="s5"), "ana")
    return story


def _case(history: History, rule: str, *open_: str) -> Case:
    beside = (Finding(Invariant.I7, "the row of an ended session is open", each) for each in open_)
    return (lambda _: history), Invariant.I7, rule, "s5", *beside


_CHANGED = ("PasswordChanged", "", "")
_SHUT = ("UserDeactivated", "", "")
_ERASED = ("UserErased", "", "")
ENDS: dict[str, Case] = {
    "a refresh after a change of password": _case(
        _refreshed(_ended("ChangePassword", _CHANGED, **_CHANGES)), _GOES_ON, "s5"
    ),
    "a refresh after the shutting of the account": _case(
        _refreshed(_ended("DeactivateUser", _SHUT)), _GOES_ON, "s4", "s5"
    ),
    "a refresh after the end of all other sessions": _case(
        _refreshed(_ended("EndAllSessions", session="s4")), _GOES_ON, "s5"
    ),
    "a profile is shown after the log-out": _case(
        _used(_ended("LogOut", _OUT, session="s5"), "GetProfile"), _GOES_ON
    ),
    "a profile is saved after the log-out": _case(
        _used(_ended("LogOut", _OUT, session="s5"), "UpdateProfile", ("ProfileUpdated", "", "")),
        _GOES_ON,
    ),
    "a token long after a change of password": _case(
        _looked(_ended("ChangePassword", _CHANGED, **_CHANGES)), _IS_TAKEN, "s5"
    ),
    "a token long after the shutting of the account": _case(
        _looked(_ended("DeactivateUser", _SHUT)), _IS_TAKEN, "s4", "s5"
    ),
    "a token long after the end of all other sessions": _case(
        _looked(_ended("EndAllSessions", session="s4")), _IS_TAKEN, "s5"
    ),
    "a token long after a log-out that told nobody": _case(
        _looked(_ended("LogOut", session="s5")), _IS_TAKEN, "s5"
    ),
    "a token long after an erasure by an operator": _case(
        _looked(_ended("EraseUser", _ERASED)), _IS_TAKEN
    ),
    "a token long after an erasure by its user": _case(
        _looked(_ended("EraseAccount", _ERASED, session="s4", password="p2")), _IS_TAKEN
    ),
    "a token long after a second log-out, whose first nobody heard of": _case(
        _looked(_twice()), _IS_TAKEN
    ),
}
