"""A record that somebody copies to another topic, while its caller waits and afterwards."""

from typing import cast

from authbus import Code, LoggedIn, LogIn, RegisterUser, Rejected
from authbus.client.outgoing import Outgoing
from authbus.client.pending import PendingCalls
from authbus.kafka.following import Record
from authbus.message import Reply
from authbus.topics import CREDENTIALS, SESSIONS
from tests.rig.crowd import PASSWORD
from tests.rig.producing import Draft
from tests.rig.world import World

EMAIL = "ana@example.com"


async def test_a_copy_of_a_log_in_on_another_topic_takes_no_answer_away(world: World) -> None:
    web = world.web
    draft = web.draft(LogIn(email=EMAIL, password=PASSWORD))
    copy = draft.but(topic=SESSIONS.name(world.namespace))
    async with world.consuming():
        await web.ask(web.draft(RegisterUser(email=EMAIL, password=PASSWORD)))

        before = await web.ask(copy)
        session = await web.ask(draft)
        after = await web.ask(copy)

    right = CREDENTIALS.name(world.namespace)
    assert before == after == Rejected.because(Code.WRONG_TOPIC, f"send it to {right}")
    assert isinstance(session, LoggedIn)
    assert await answer(world, draft) == session


async def answer(world: World, draft: Draft) -> Reply | None:
    """What a client is answered that hears all that was said to this command."""
    calls, id_ = PendingCalls(), draft.id
    sent = Outgoing(draft.topic, b"key", draft.value, [], id_, str(id_), draft.reply_key)
    with calls.waiting(sent) as call:
        for record in world.web.answers(id_):
            calls.read(cast("Record", record))
        return await call.answer()
