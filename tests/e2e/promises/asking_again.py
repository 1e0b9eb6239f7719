"""What is promised to who asks again: an answer was lost, or two processes ask for the same."""

from dataclasses import replace

import pytest

from authbus import Code, TokenRevoked
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused


async def a_refresh_whose_answer_was_lost_gives_the_same_tokens_by_its_id(place: Place) -> None:
    email, auth, id_ = an_address(), place.auth, uuid7()
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)

    lost = await auth.refresh(session, command_id=id_)
    had = await auth.refresh(session, command_id=id_)
    await auth.refresh(had)
    late = await auth.refresh(session, command_id=id_)

    assert lost == had == late
    await auth.log_out(had)
    events = await place.heard(user.user_id, 5)
    assert kinds(events)[2:] == ["SessionRefreshed", "SessionRefreshed", "SessionEnded logout"]
    assert events[2].causation_id == id_


async def a_session_is_logged_out_by_any_token_it_had_and_again_without_effect(
    place: Place,
) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    first, other = [await auth.log_in(email, PASSWORD) for _ in range(2)]
    newest = await auth.refresh(first)
    strange = replace(newest, refresh_token=other.refresh_token)
    await refused(auth.log_out(strange), Code.INVALID_TOKEN)

    await auth.log_out(first)
    await auth.log_out(newest)
    await auth.log_out(first)

    await refused(auth.log_out(strange), Code.INVALID_TOKEN)
    await refused(auth.refresh(newest), Code.INVALID_TOKEN)
    with pytest.raises(TokenRevoked):
        auth.verify(newest.access_token)
    await auth.log_out(other)
    events = await place.heard(user.user_id, 6)
    assert kinds(events)[3:] == ["SessionRefreshed", *["SessionEnded logout"] * 2]
    ended = [getattr(each.data, "session_id", None) for each in events[4:]]
    assert ended == [first.session_id, other.session_id]


async def an_erasure_gives_its_receipt_again_and_all_that_it_told_is_one_row(
    place: Place,
) -> None:
    email, auth, id_ = an_address(), place.auth, uuid7()
    user = await auth.register(email, PASSWORD)
    token = (await auth.log_in(email, PASSWORD)).access_token
    await auth.log_in(email, PASSWORD)

    receipt = await auth.account.erase(token, PASSWORD, command_id=id_)
    again = await auth.account.erase(token, PASSWORD, command_id=id_)
    await refused(auth.account.erase(token, PASSWORD), Code.INVALID_TOKEN)

    assert receipt == again
    events = await place.heard(user.user_id, receipt.sessions_ended + 4)
    assert kinds(events)[3:] == [*["SessionEnded erased"] * 2, "UserErased"]
    assert [each.sequence for each in events] == [1, 2, 3, 4, 5, 6]
    assert {each.causation_id for each in events[3:]} == {id_}
