"""A session that nobody ends is over at its time, and not before."""

from datetime import timedelta

import pytest

from authbus.events import EndReason, SessionEnded
from authbus_service.auth.sessions.lapsing import Unasked, lapsed
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import MASTERS, NOW, a_session

ANA = User(new_id(), 4, "active", "phc", 1, NOW)
LATER = NOW + timedelta(days=9)


def found(session: Session) -> Unasked:
    over = lapsed(MASTERS, session, ANA, LATER)
    assert over is not None
    return over


@pytest.mark.parametrize(
    ("expires_at", "reason"), [(LATER, EndReason.IDLE), (NOW, EndReason.EXPIRED)]
)
def test_it_ends_at_its_time_by_the_service(expires_at: object, reason: EndReason) -> None:
    session = a_session(ANA.id, lapses_at=NOW, expires_at=expires_at)

    by, event = found(session)

    assert event == SessionEnded(
        user_id=ANA.id,
        sequence=5,
        actor="service",
        causation_id=by.command_id,
        session_id=session.id,
        reason=reason,
    )


def test_one_that_was_refreshed_or_ended_meanwhile_is_passed_over() -> None:
    refreshed = a_session(ANA.id, lapses_at=NOW + timedelta(microseconds=1))
    ended = a_session(ANA.id, lapses_at=NOW, ended_at=NOW)

    assert [lapsed(MASTERS, each, ANA, NOW) for each in (refreshed, ended)] == [None, None]


def test_its_ids_follow_from_the_session_and_its_time() -> None:
    session = a_session(ANA.id, lapses_at=NOW)
    same, later, other = (
        a_session(ANA.id, id=session.id, lapses_at=NOW),
        a_session(ANA.id, id=session.id, lapses_at=LATER),
        a_session(ANA.id, lapses_at=NOW),
    )

    ids = [found(each)[0].event_id(0) for each in (session, same, later, other)]

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
