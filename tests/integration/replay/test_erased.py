"""What an erasure promises of Kafka holds also where all is replayed afterwards."""

from collections import Counter
from datetime import timedelta

from pydantic import SecretStr

from authbus import (
    EraseAccount,
    GetProfile,
    LoggedIn,
    LogIn,
    RegisterUser,
    UserIsErased,
)
from authbus.topics import COMMAND_TOPICS, COMMANDS_KEPT
from authbus_service.core import clock
from tests.rig.accident import serving
from tests.rig.crowd import PASSWORD
from tests.rig.offsets import all_finished
from tests.rig.producing import Draft
from tests.rig.replaying import counts, replayed
from tests.rig.topics import records
from tests.rig.world import World

EMAIL = "ana@example.com"


async def a_life(world: World) -> tuple[list[Draft], UserIsErased]:
    """All that somebody sent, of each fate, up to the receipt of their erasure."""
    web = world.web
    drafts = [
        web.draft(RegisterUser(email=EMAIL, password=PASSWORD)),
        web.draft(LogIn(email=EMAIL, password=SecretStr("not this one"))),
        web.draft(LogIn(email=EMAIL, password=PASSWORD)),
    ]
    *_, session = [await web.ask(each) for each in drafts]
    assert isinstance(session, LoggedIn)
    question = web.draft(GetProfile(access_token=session.access_token))
    await web.ask(question)
    again = web.draft(LogIn(email=EMAIL, password=PASSWORD), id_=drafts[2].id)
    await web.ask(again)
    erase = web.draft(EraseAccount(access_token=session.access_token, password=PASSWORD))
    receipt = await web.ask(erase)
    assert isinstance(receipt, UserIsErased)
    return [*drafts, question, again, erase], receipt


async def test_nothing_that_an_erased_user_sent_is_kept_for_longer_by_a_replay(
    world: World,
) -> None:
    async with serving(world):
        drafts, receipt = await a_life(world)
        await all_finished(world)
    summed_up = Counter[str]()

    with clock.standing_at(clock.now() + timedelta(minutes=20)):
        for topic in COMMAND_TOPICS:
            foretold = counts(await replayed(world, topic, dry_run=True))
            assert foretold == counts(await replayed(world, topic, wait=0))
            summed_up.update(foretold)

    theirs = {str(each.id).encode() for each in drafts}
    lying = [
        each
        for topic in COMMAND_TOPICS
        async for each in records(world.servers, topic, world.namespace)
        if dict(each.headers)["ce_id"] in theirs
    ]
    until = receipt.commands_gone_at - COMMANDS_KEPT
    assert len(lying) == len(drafts)
    assert all(each.timestamp <= until.timestamp() * 1000 for each in lying)
    assert summed_up == {"selected": 6, "already_handled": 5, "expired": 1}
