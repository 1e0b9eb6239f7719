"""Which rows of an outbox were said, when the ids of some are found on their topics."""

from authbus.topics import AUDIT, EVENTS, SESSIONS_ENDED, USERS_STATE
from authbus_service.recovery.finishing import said_with
from tests.rig.made import a_row


def test_with_an_event_its_own_states_were_said_and_none_of_a_transaction_beside_it() -> None:
    b_state, a_state = a_row(1, USERS_STATE, b"b"), a_row(2, SESSIONS_ENDED, b"a")
    a_event, b_event = a_row(3, EVENTS, b"a"), a_row(4, EVENTS, b"b")
    rows = [b_state, a_state, a_event, b_event]

    assert list(said_with(rows, {a_event.said.id})) == [a_state.said, a_event.said]
    assert list(said_with(rows, {b_event.said.id})) == [b_state.said, b_event.said]


def test_what_is_no_event_was_said_alone() -> None:
    state, audit = a_row(1, USERS_STATE, b"a"), a_row(2, AUDIT, b"a")
    event = a_row(3, EVENTS, b"a")

    assert list(said_with([state, audit, event], {audit.said.id})) == [audit.said]
