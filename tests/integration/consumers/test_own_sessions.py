"""A user's own sessions on real servers: listed, ended one by one, ended together."""

from pydantic import SecretStr

from authbus import (
    AllSessionsEnded,
    Code,
    EndAllSessions,
    EndSession,
    ListSessions,
    Rejected,
    SessionIsEnded,
    SessionList,
)
from tests.rig.world import World


async def test_a_user_sees_and_ends_their_own_sessions(world: World) -> None:
    web = world.web
    async with world.consuming():
        one, two = await world.session(), await world.logged_in()
        three = await world.logged_in(device="Firefox on Linux", ip_address="192.0.2.7")
        token = three.access_token
        listed = await web.ask(web.draft(ListSessions(access_token=token)))
        end = EndSession(access_token=token, session_id=one.session_id)
        ended = await web.ask(web.draft(end))
        rest = await web.ask(web.draft(EndAllSessions(access_token=token, this_one_too=True)))
        after = await web.ask(web.draft(ListSessions(access_token=token)))

    assert isinstance(listed, SessionList)
    ids = [one.session_id, two.session_id, three.session_id]
    assert [each.session_id for each in listed.sessions] == ids
    assert [each.is_current for each in listed.sessions] == [False, False, True]
    assert [each.device for each in listed.sessions] == [None, None, "Firefox on Linux"]
    assert [each.ip_address for each in listed.sessions] == [None, None, "192.0.2.7"]
    assert all(each.last_used_at == each.started_at for each in listed.sessions)
    assert ended == SessionIsEnded(session_id=one.session_id)
    assert rest == AllSessionsEnded(count=2)
    assert after == Rejected.because(Code.INVALID_TOKEN)
    assert [each.sequence for each in await world.events()] == list(range(1, 8))


async def test_a_question_has_no_effect_and_leaves_no_trace_in_the_inbox(world: World) -> None:
    web = world.web
    async with world.consuming():
        session = await world.session()
        before = await world.rows("SELECT count(*) FROM inbox")
        draft = web.draft(ListSessions(access_token=session.access_token))
        first = await web.ask(draft)
        second = await web.ask(draft)
        changed = SecretStr(session.access_token.get_secret_value()[:-4] + "AAAA")
        forged = await web.ask(web.draft(ListSessions(access_token=changed)))
        after = await world.rows("SELECT count(*) FROM inbox")

    assert first == second
    assert forged == Rejected.because(Code.INVALID_TOKEN)
    assert before == after
    assert len(await world.events()) == 2
