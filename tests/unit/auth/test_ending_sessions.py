"""An administrator ends a session that is known by its id alone."""

from typing import Any

from authbus.commands import EndUserSessions
from authbus.replies import AllSessionsEnded, Code, Rejected
from authbus_service.auth.outcome import Outcome
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.unit.auth.test_administering import TOKEN, World


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
