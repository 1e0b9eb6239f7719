"""What must be said together, and what is said at all."""

from authbus.state import DeadLetter
from authbus.topics import EVENTS, RELAY, USERS_STATE
from authbus_service.core.ids import new_id
from authbus_service.outbox.repository import AGAIN
from authbus_service.relay.batch import outgoing, units
from authbus_service.relay.manifest import Manifest
from tests.rig.made import a_row


def test_a_state_waits_for_its_event_and_one_that_nothing_caused_for_nobody() -> None:
    again = a_row(1, USERS_STATE, None)
    state, other = a_row(2, USERS_STATE, b"c"), a_row(3, USERS_STATE, b"d")
    event, orphan = a_row(4, EVENTS, b"c"), a_row(5, EVENTS, None)

    found = units([again, state, other, event, orphan], all_read=False)

    assert found == [[again], [state, event], [orphan]]


def test_a_state_whose_event_was_seen_waits_for_nothing_and_is_said_before_later_ones() -> None:
    seen_without = a_row(1 - AGAIN, USERS_STATE, b"c")
    state, event = a_row(2 - AGAIN, USERS_STATE, b"d"), a_row(3 - AGAIN, EVENTS, b"d")
    later, told = a_row(7, USERS_STATE, b"e"), a_row(8, EVENTS, b"e")
    early = a_row(9, USERS_STATE, b"c")

    found = units([seen_without, state, event, later, told, early], all_read=False)

    assert found == [[seen_without], [state, event], [later, told]]


def test_a_dead_letter_of_a_row_that_is_said_again_names_its_first_position() -> None:
    rows = [a_row(position, EVENTS, b"c") for position in (5, 5 - AGAIN, 5 - 2 * AGAIN)]

    *letters, _ = outgoing(rows, namespace="auth", epoch=new_id(), unfit=[row.said for row in rows])

    assert [DeadLetter.model_validate_json(each.value or b"").offset for each in letters] == [5] * 3


def test_a_row_of_the_relays_own_topic_is_named_in_the_manifest_and_said_nowhere() -> None:
    rows, epoch = [a_row(1, EVENTS, b"c"), a_row(2, RELAY, None)], new_id()

    *said, memory = outgoing(rows, namespace="auth", epoch=epoch, unfit=())

    assert [each.topic for each in said] == ["auth.events.v1"]
    named = Manifest.model_validate_json(memory.value or b"")
    assert named.said() == [row.said for row in rows]
