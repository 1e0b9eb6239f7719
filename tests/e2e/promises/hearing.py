"""What is promised of streams."""

import asyncio
from contextlib import aclosing
from uuid import UUID

from authbus import (
    EventStream,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserState,
)
from authbus.stream import Told
from tests.e2e.place import PASSWORD, Place, an_address, kinds


async def mine(stream: EventStream, user_id: UUID, count: int) -> list[StreamEvent]:
    """A user's next events; the last of them is unfinished."""
    heard: list[StreamEvent] = []
    async with asyncio.timeout(30), stream:
        async for event in stream:
            if event.user_id == user_id:
                heard.append(event)
            if len(heard) == count:
                break
    return heard


async def a_group_goes_on_with_what_it_has_not_finished(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    session = await place.auth.log_in(email, PASSWORD)
    await place.auth.log_out(session)

    first = await mine(place.stream("billing"), user.user_id, 2)
    second = await mine(place.stream("billing"), user.user_id, 2)
    other = await mine(place.stream("reports"), user.user_id, 3)

    assert kinds(first) == ["UserCreated", "SessionStarted"]
    assert kinds(second) == ["SessionStarted", "SessionEnded logout"]
    assert second[0] == first[1]
    assert [each.sequence for each in other] == [1, 2, 3]


async def a_new_group_begins_at_a_time(place: Place) -> None:
    email = an_address()
    user = await place.auth.register(email, PASSWORD)
    await place.auth.log_in(email, PASSWORD)
    created, started = await place.heard(user.user_id, 2)

    since = place.stream("since", since=started.time)
    (heard,) = await mine(since, user.user_id, 1)

    assert created.time <= started.time
    assert heard.id in {started.id, *([created.id] if created.time == started.time else [])}


async def all_users_are_told_and_then_what_changes(place: Place) -> None:
    auth, kept, gone = place.auth, an_address("kept"), an_address("gone")
    user, erased = await auth.register(kept, PASSWORD), await auth.register(gone, PASSWORD)
    token = (await auth.log_in(kept, PASSWORD)).access_token
    await auth.profile.update(token, 0, display_name="Ana")
    await auth.account.erase((await auth.log_in(gone, PASSWORD)).access_token, PASSWORD)
    await place.heard(user.user_id, 3)
    await place.heard(erased.user_id, 4)
    heard: list[Told] = []
    stream = place.stream("view")
    async with asyncio.timeout(30), stream, aclosing(stream.bootstrap()) as telling:
        async for told in telling:
            heard.append(told)
            if isinstance(told, SnapshotEnds):
                await auth.profile.update(token, 1, display_name="Ada")
            if isinstance(told, StreamEvent) and told.user_id == user.user_id:
                break

    assert heard[0] == SnapshotBegins(fresh=True)
    states = [each for each in heard if isinstance(each, UserState)]
    about = [each for each in states if each.user_id == user.user_id]
    assert [each.profile.display_name for each in about] == ["Ana", "Ada"]
    assert (about[0].email, about[0].sequence, about[1].sequence) == (kept, 3, 4)
    assert erased.user_id not in {each.user_id for each in states}
    assert erased.user_id not in {each.user_id for each in heard if isinstance(each, StreamEvent)}
