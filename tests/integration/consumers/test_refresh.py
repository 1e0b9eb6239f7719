"""Refresh on real servers: tokens change hands once, and one that was used gives itself away."""

from collections.abc import Callable

from pydantic import SecretStr

from authbus import (
    Code,
    EndReason,
    ListSessions,
    Refreshed,
    RefreshSession,
    Rejected,
    SessionEnded,
    SessionList,
)
from authbus.replies import Tokens
from authbus_service.auth.acting import read_token
from tests.rig.crowd import until
from tests.rig.producing import Draft
from tests.rig.world import World

INVALID = Rejected.because(Code.INVALID_TOKEN)


def drafting(world: World) -> Callable[[Tokens], Draft]:
    def draft(held: Tokens) -> Draft:
        return world.web.draft(
            RefreshSession(session_id=held.session_id, refresh_token=held.refresh_token)
        )

    return draft


async def test_a_session_is_refreshed_again_and_again(world: World) -> None:
    web, refresh = world.web, drafting(world)
    async with world.consuming():
        first = await world.session()
        second = await web.ask(refresh(first))
        assert isinstance(second, Refreshed)
        third = await web.ask(refresh(second))
        assert isinstance(third, Refreshed)
        listed = await web.ask(web.draft(ListSessions(access_token=third.access_token)))

    def verified(token: str) -> object:
        return read_token(
            token, issuer=f"authbus/{world.namespace}", verified=world.keyring.verified
        )

    held = (first, second, third)
    assert len({each.access_token for each in held}) == 3
    assert len({each.refresh_token for each in held}) == 3
    assert all(verified(each.access_token.get_secret_value()) for each in held)
    assert isinstance(listed, SessionList)
    (entry,) = listed.sessions
    assert entry.last_used_at > entry.started_at
    assert entry.lapses_at > entry.last_used_at


async def test_a_refresh_whose_reply_was_lost_is_asked_again_and_gives_the_same_tokens(
    world: World,
) -> None:
    web, refresh = world.web, drafting(world)
    async with world.consuming():
        session = await world.session()
        draft = refresh(session)
        first = await web.ask(draft)
        other_bytes = web.draft(
            RefreshSession(session_id=session.session_id, refresh_token=session.refresh_token),
            id_=draft.id,
        )
        again = await web.ask(draft)
        await web.send(other_bytes)
        await until(lambda: len(web.answers(draft.id)) == 3)
        anew = web.read(web.answers(draft.id)[-1], other_bytes)

    assert isinstance(first, Refreshed)
    assert again == first
    assert anew == first
    assert len(await world.events()) == 3


async def test_a_used_token_is_told_from_a_guess_and_ends_the_session(world: World) -> None:
    web, refresh = world.web, drafting(world)
    async with world.consuming():
        first = await world.session()
        guess = first.model_copy(update={"refresh_token": SecretStr("x" * 87)})
        second = await web.ask(refresh(first))
        assert isinstance(second, Refreshed)
        answers = [await web.ask(refresh(each)) for each in (guess, first)]
        third = await web.ask(refresh(second))
        assert isinstance(third, Refreshed)
        answers += [await web.ask(refresh(each)) for each in (first, third)]

    assert answers == [INVALID, Rejected.because(Code.TOKEN_ROTATED), INVALID, INVALID]
    last = (await world.events())[-1]
    assert isinstance(last, SessionEnded)
    assert last.reason == EndReason.TOKEN_REUSE
    assert [each.sequence for each in await world.events()] == [1, 2, 3, 4, 5]
