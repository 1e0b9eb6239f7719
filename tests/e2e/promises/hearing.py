"""What is promised of streams."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from uuid import UUID

from authbus import (
    EventStream,
    SnapshotBegins,
    SnapshotEnds,
    StreamEvent,
    UserErased,
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


async def told(stream: EventStream, enough: Callable[[Told], bool]) -> list[Told]:
    """What a loop over all users is told until it is enough; the last of it is unfinished."""
    heard: list[Told] = []
    async with asyncio.timeout(30), stream, aclosing(stream.bootstrap()) as telling:
        async for each in telling:
            heard.append(each)
            if enough(each):
                break
    return heard


def event(user_id: UUID, sequence: int) -> Callable[[Told], bool]:
    """Whether it is this event of this user."""
    return lambda each: (
        isinstance(each, StreamEvent) and (each.user_id, each.sequence) == (user_id, sequence)
    )


def state(user_id: UUID) -> Callable[[Told], bool]:
    """Whether it is a state of this user."""
    return lambda each: isinstance(each, UserState) and each.user_id == user_id


def about(user_id: UUID, heard: list[Told]) -> list[tuple[type, int]]:
    """The states and events of a user."""
    return [
        (type(each), each.sequence)
        for each in heard
        if isinstance(each, UserState | StreamEvent) and each.user_id == user_id
    ]


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


async def who_is_erased_after_a_loop_over_users_was_left_is_told_of_in_the_next(
    place: Place,
) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    token = (await auth.log_in(email, PASSWORD)).access_token
    await place.heard(user.user_id, 2)

    first = await told(place.stream("left"), state(user.user_id))
    await auth.account.erase(token, PASSWORD)
    second = await told(place.stream("left"), event(user.user_id, 4))

    assert about(user.user_id, first) == [(UserState, 1)]
    assert second[0] == SnapshotBegins(fresh=False)
    assert about(user.user_id, second) == [(StreamEvent, 4)]
    assert isinstance(second[-1], StreamEvent)
    assert isinstance(second[-1].data, UserErased)


async def what_a_group_has_not_heard_comes_behind_the_users_unless_their_states_have_it(
    place: Place,
) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    await auth.profile.update(session.access_token, 0, display_name="Ana")
    await auth.log_out(session)
    await place.heard(user.user_id, 4)

    await mine(place.stream("late"), user.user_id, 2)
    heard = await told(place.stream("late"), event(user.user_id, 4))

    assert heard[0] == SnapshotBegins(fresh=False)
    assert about(user.user_id, heard) == [(UserState, 3), (StreamEvent, 4)]


async def who_leaves_as_soon_as_all_users_are_told_is_told_them_again(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    await place.heard(user.user_id, 1)

    first = await told(place.stream("early"), lambda each: isinstance(each, SnapshotEnds))
    await auth.log_in(email, PASSWORD)
    second = await told(place.stream("early"), event(user.user_id, 2))

    assert about(user.user_id, first) == [(UserState, 1)]
    assert second[0] == SnapshotBegins(fresh=False)
    assert about(user.user_id, second) == [(UserState, 1), (StreamEvent, 2)]


async def who_heard_events_alone_in_between_is_told_the_users_again(place: Place) -> None:
    email, auth = an_address(), place.auth
    user = await auth.register(email, PASSWORD)
    session = await auth.log_in(email, PASSWORD)
    await place.heard(user.user_id, 2)
    stream = place.stream("mixed")
    async with asyncio.timeout(30), stream, aclosing(stream.bootstrap()) as telling:
        async for each in telling:
            if isinstance(each, SnapshotEnds):
                await auth.profile.update(session.access_token, 0, display_name="Ana")
            if event(user.user_id, 3)(each):
                break
    await auth.log_out(session)

    alone = await mine(place.stream("mixed"), user.user_id, 2)
    heard = await told(place.stream("mixed"), event(user.user_id, 4))

    assert kinds(alone) == ["ProfileUpdated", "SessionEnded logout"]
    assert heard[0] == SnapshotBegins(fresh=False)
    assert about(user.user_id, heard) == [(UserState, 3), (StreamEvent, 4)]
