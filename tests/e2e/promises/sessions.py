"""What is promised of log-ins and their tokens."""

import asyncio

import pytest

from authbus import (
    AuthClient,
    AuthUnavailable,
    Code,
    FeedStale,
    TokenInvalid,
    TokenRevoked,
    Verifier,
)
from authbus.uuid7 import uuid7
from tests.e2e.place import PASSWORD, Place, an_address, kinds
from tests.e2e.promises.asking import refused


async def a_life_is_told_once_and_in_order(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    session = await place.auth.log_in(email, PASSWORD)
    await refused(place.auth.log_in(email, "not this one"), Code.INVALID_CREDENTIALS)
    await place.auth.log_out(session)
    await place.auth.log_out(session)

    events = await place.heard(user.user_id, 3)

    assert kinds(events) == ["UserCreated", "SessionStarted", "SessionEnded logout"]
    assert [each.sequence for each in events] == [1, 2, 3]
    assert {each.user_id for each in events} == {user.user_id, session.user_id}
    assert {each.data.actor for each in events} == {f"user:{user.user_id}"}
    assert {getattr(each.data, "session_id", session.session_id) for each in events} == {
        session.session_id
    }


async def a_token_is_good_until_its_session_ends(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    session = await place.auth.log_in(email, PASSWORD)
    claims = place.verifier.verify(session.access_token)
    assert place.auth.verify(session.access_token) == claims
    assert (claims.user_id, claims.session_id) == (user.user_id, session.session_id)
    assert (claims.client_id, claims.audience, claims.amr) == ("web", ("web",), ("pwd",))
    assert claims.expires_at == session.access_token_expires_at.replace(microsecond=0)

    await place.auth.log_out(session)

    with pytest.raises(TokenRevoked):
        place.auth.verify(session.access_token)
    async with asyncio.timeout(10):
        while True:
            try:
                place.verifier.verify(session.access_token)
            except TokenRevoked:
                break
            await asyncio.sleep(0.02)


async def a_token_that_is_none_is_refused_with_a_reason(place: Place) -> None:
    email = an_address()
    await place.auth.register(email, PASSWORD)
    token = (await place.auth.log_in(email, PASSWORD)).access_token
    head, body, signature = token.split(".")
    other = "A" if signature[20] != "A" else "B"
    reasons: list[str] = []
    for bad in ("", "a.b", f"{head}.{body}.{signature[:20]}{other}{signature[21:]}", token + "."):
        with pytest.raises(TokenInvalid) as told:
            place.verifier.verify(bad)
        assert not isinstance(told.value, FeedStale)
        reasons.append(told.value.reason)
        await refused(place.auth.sessions.list(bad), Code.INVALID_TOKEN)

    assert reasons == ["malformed", "malformed", "signature", "malformed"]


async def each_refresh_token_is_good_once(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    first = await place.auth.log_in(email, PASSWORD)
    second = await place.auth.refresh(first)
    await refused(place.auth.refresh(first), Code.TOKEN_ROTATED)
    third = await place.auth.refresh(second)
    assert place.auth.verify(third.access_token).session_id == first.session_id
    assert third.device_token == first.device_token
    assert len({each.refresh_token for each in (first, second, third)}) == 3

    await refused(place.auth.refresh(first), Code.INVALID_TOKEN)
    await refused(place.auth.refresh(third), Code.INVALID_TOKEN)

    events = await place.heard(user.user_id, 5)
    assert kinds(events)[2:] == ["SessionRefreshed"] * 2 + ["SessionEnded token_reuse"]
    assert events[-1].data.actor == "service"


async def a_command_that_is_sent_again_has_its_effect_once(place: Place) -> None:
    email, id_ = an_address(), uuid7()
    user = await place.auth.register(email, PASSWORD)
    session = await place.auth.log_in(email, PASSWORD, command_id=id_)
    again = await place.auth.log_in(email, PASSWORD, command_id=id_)
    other = place.auth.log_in(email, "another password", command_id=id_)
    refusal = await refused(other, Code.IDEMPOTENCY_MISMATCH)

    assert again == session
    assert (refusal.command_id, refusal.retryable) == (id_, False)
    assert len(await place.auth.sessions.list(session.access_token)) == 1
    assert [each.causation_id for each in await place.heard(user.user_id, 2)][1] == id_


async def a_refusal_stays_one_when_it_is_asked_again(place: Place) -> None:
    email, id_ = an_address(), uuid7()
    await refused(place.auth.log_in(email, PASSWORD, command_id=id_), Code.INVALID_CREDENTIALS)
    await place.auth.register(email, PASSWORD)

    await refused(place.auth.log_in(email, PASSWORD, command_id=id_), Code.INVALID_CREDENTIALS)


async def sessions_are_listed_and_ended_by_their_user(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    one = await auth.log_in(email, PASSWORD, device="a phone", ip_address="192.0.2.7")
    two, three = [await auth.log_in(email, PASSWORD) for _ in range(2)]
    listed = await auth.sessions.list(one.access_token)
    assert [each.session_id for each in listed] == [
        one.session_id,
        two.session_id,
        three.session_id,
    ]
    assert [each.is_current for each in listed] == [True, False, False]
    assert (listed[0].device, listed[0].ip_address) == ("a phone", "192.0.2.7")
    assert listed[0].started_at < listed[0].lapses_at < listed[0].expires_at

    await auth.sessions.end(one.access_token, two.session_id)
    await auth.sessions.end(one.access_token, two.session_id)
    assert await auth.sessions.end_all(one.access_token) == 1
    assert await auth.sessions.end_all(one.access_token, this_one_too=True) == 1

    await refused(auth.sessions.list(one.access_token), Code.INVALID_TOKEN)
    events = await place.heard(user.user_id, 7)
    assert kinds(events)[4:] == ["SessionEnded revoked"] * 3


async def nobody_ends_a_session_of_somebody_else(place: Place) -> None:
    ana, bob = an_address(), an_address("bob")
    await place.auth.register(ana, PASSWORD)
    await place.auth.register(bob, PASSWORD)
    mine = await place.auth.log_in(ana, PASSWORD)
    theirs = await place.auth.log_in(bob, PASSWORD)

    end = place.auth.sessions.end(mine.access_token, theirs.session_id)
    await refused(end, Code.SESSION_UNKNOWN)
    await refused(place.auth.sessions.end(mine.access_token, uuid7()), Code.SESSION_UNKNOWN)

    assert await place.auth.refresh(theirs)


async def no_device_is_known_after_a_new_password(place: Place) -> None:
    email, auth, new = an_address(), place.auth, "another horse battery"
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    await auth.passwords.change(session.access_token, PASSWORD, new)
    known = session.device_token

    for _ in range(4):
        guess = auth.log_in(email, PASSWORD, device_token=known)
        await refused(guess, Code.INVALID_CREDENTIALS)

    await refused(auth.log_in(email, new, device_token=known), Code.INVALID_CREDENTIALS)
    assert kinds(await place.heard(user.user_id, 4))[3:] == ["UserLocked"]


async def one_session_too_many_ends_the_oldest(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    sessions = [await place.auth.log_in(email, PASSWORD) for _ in range(5)]

    listed = await place.auth.sessions.list(sessions[-1].access_token)

    assert [each.session_id for each in listed] == [each.session_id for each in sessions[1:]]
    events = await place.heard(user.user_id, 7)
    assert kinds(events)[5:] == ["SessionEnded limit", "SessionStarted"]


async def a_client_that_is_not_open_asks_nothing(place: Place) -> None:
    closed = place.client()
    async with asyncio.timeout(5):
        with pytest.raises(AuthUnavailable, match="not open"):
            await closed.log_in(an_address(), PASSWORD)


async def a_verifier_that_is_not_open_believes_nobody(place: Place) -> None:
    email = an_address()
    await place.auth.register(email, PASSWORD)
    token = (await place.auth.log_in(email, PASSWORD)).access_token
    await asyncio.gather(
        _opens_and_closes(place.another_verifier(), token),
        _opens_and_closes(place.client(), token),
    )


async def _opens_and_closes(verifier: AuthClient | Verifier, token: str) -> None:
    with pytest.raises(TokenInvalid) as told:
        verifier.verify(token)
    async with verifier:
        assert verifier.verify(token)
    assert told.value.reason == "feed_stale"
    async with asyncio.timeout(15):
        await _until_stale(verifier, token)


async def _until_stale(verifier: AuthClient | Verifier, token: str) -> None:
    while True:
        try:
            verifier.verify(token)
        except FeedStale:
            return
        await asyncio.sleep(0.1)
