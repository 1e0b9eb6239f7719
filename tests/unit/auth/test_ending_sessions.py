"""An administrator ends sessions of a user: all, or one that may be known by its id alone."""

from typing import Any

from authbus.commands import EndUserSessions
from authbus.events import EndReason
from authbus.replies import AllSessionsEnded, Code, Rejected
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.unit.auth.test_administering import TOKEN, World


def test_a_users_sessions_are_ended_one_or_all() -> None:
    world = World()
    one, other = world.sessions

    def asked(session: Session | None = None) -> Outcome:
        outcome = world.decided(
            EndUserSessions(
                access_token=TOKEN, user_id=world.ana.id, session_id=session and session.id
            )
        )
        world.applied(outcome)
        return outcome

    outcomes = [asked(one), asked(), asked()]
    unknown = [asked(each) for each in (one, world.session)]

    assert [each.answer for each in outcomes] == [AllSessionsEnded(count=n) for n in (1, 1, 0)]
    assert unknown == [Outcome(Rejected.because(Code.SESSION_UNKNOWN))] * 2
    ended = [event for each in outcomes for event in each.events]
    assert [(each.sequence, each.actor) for each in ended] == [
        (5, f"admin:{world.root.id}"),
        (6, f"admin:{world.root.id}"),
    ]
    assert {each.end_reason for each in (one, other)} == {EndReason.ADMIN}
    assert world.session.ended_at is None


def test_a_session_is_ended_whoever_it_is_of_but_not_one_of_somebody_else() -> None:
    world = World()
    one = world.sessions[0]

    def asked(owner: User | None, **of: Any) -> Outcome:
        found = {} if owner is None else {"user_id": owner.id}
        return world.decided(
            EndUserSessions(access_token=TOKEN, **of), acting=world.acting, **found
        )

    of_root = asked(world.root, user_id=world.root.id, session_id=one.id)
    unknown = asked(None, session_id=new_id())
    ended = asked(world.ana, session_id=one.id)

    assert unknown == of_root == Outcome(Rejected.because(Code.SESSION_UNKNOWN))
    assert ended.answer == AllSessionsEnded(count=1)
    assert [each.user_id for each in ended.events] == [world.ana.id]
