"""Ways in which tables and states say otherwise than events: the edit, what must be found."""

from tests.chaos.checker.edits import Edit, altered, more, without
from tests.chaos.checker.findings import Finding, Invariant
from tests.chaos.checker.history import Message, Row, Told
from tests.chaos.checker.kinds import STATES_TOPIC
from tests.chaos.checker.story import Story, an_evening

I1, I2, I3, I4, I5, I6, I7, I8, I9, I10 = Invariant
Case = tuple[Edit, Invariant, str, str, *tuple[Finding, ...]]


def _evening(edit: Edit) -> Edit:
    """Of a day at whose end two sessions are open."""
    return lambda _: edit(an_evening().history())


def _silent(kind: str) -> Edit:
    """A command that is answered, claimed and without an effect."""
    story: Story = an_evening()
    story.does(story.asks("c20", kind, "ana"), "ana")
    return lambda _: story.history()


def _states(*said: str) -> Edit:
    """Two states of Ana, written old then new, and said in this order."""
    states = {
        name: Message(id=name, topic=STATES_TOPIC, key="ana", kind="UserState", digest=name)
        for name in ("old", "new")
    }
    told = tuple(Told(0, 50 + n, states[name]) for n, name in enumerate(said))
    rows = tuple(Row(100 + n, 100, each) for n, each in enumerate(states.values()))
    return more(written=rows, committed=told, uncommitted=told)


ROWS: dict[str, Case] = {
    "an older state that is said last, and stays": (
        _states("new", "old"),
        I4,
        "said otherwise than committed",
        "ana",
    ),
    "a living account without a row": (
        without("accounts", lambda each: each.id == "ana"),
        I1,
        "an account has no row",
        "ana",
    ),
    "a row that counts on without an event": (
        altered("accounts", lambda each: each.id == "ana", sequence=14),
        I4,
        "its row counts otherwise than its events",
        "ana",
    ),
    "a row that is shut and no event": (
        altered("accounts", lambda each: each.id == "ana", is_active=False),
        I1,
        "open by its row and shut by its events, or so",
        "ana",
        Finding(I7, "an account is not as it was left", "ana at the end"),
    ),
    "a shutting that is answered and did nothing": (
        _silent("DeactivateUser"),
        I7,
        "an account is not as it was left",
        "ana at the end",
        Finding(I7, "the row of an ended session is open", "s4"),
        Finding(I7, "the row of an ended session is open", "s5"),
    ),
    "a session that goes on without a row": (
        _evening(without("sessions", lambda each: each.id == "s5")),
        I1,
        "a session has no row",
        "s5",
    ),
    "a row that is closed and no event": (
        _evening(altered("sessions", lambda each: each.id == "s5", is_over=True)),
        I1,
        "an end that no event tells of",
        "s5",
    ),
}
