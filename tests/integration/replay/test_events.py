"""Events are heard again by those who are meant, and by nobody else."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import aclosing, suppress

import pytest

from authbus import EventStream, SnapshotBegins, SnapshotEnds
from authbus.stream.bootstrap import TELLING
from authbus.stream.events import StreamEvent
from authbus.stream.told import Told
from authbus.topics import EVENTS, Topic, replies
from authbus_service.cluster import Admin, ClusterError
from authbus_service.core import clock
from authbus_service.core.ids import new_id
from authbus_service.reading.records import Where
from authbus_service.replay.copying import Copier, Copy, Sent
from authbus_service.replay.events import is_ours
from authbus_service.replay.groups import GroupInUseError, GroupReplay
from tests.rig.accident import serving
from tests.rig.crowd import Crowd
from tests.rig.dumps import ends_of
from tests.rig.replaying import NEW, a_new_topic, billing, events_copied
from tests.rig.topics import records
from tests.rig.world import World

USERS = 3


@pytest.fixture
async def told(world: World) -> World:
    """Users have registered and logged in, and all is said."""
    async with serving(world):
        await Crowd(world).with_sessions(USERS)
    return world


async def has_built_its_view(world: World, admin: Admin) -> list[str]:
    """What `billing` is told until the group has it written down that all users were told."""
    found: list[Told] = []

    async def read(stream: EventStream) -> None:
        async for each in stream.bootstrap():
            found.append(each)  # noqa: PERF401 - it has no end

    async def is_told() -> bool:
        marks = [each.mark for each in (await admin.marked(billing(world))).values()]
        return bool(marks) and TELLING not in marks

    async with EventStream(
        world.servers, group=billing(world), namespace=world.namespace
    ) as stream:
        reading = asyncio.create_task(read(stream))
        async with asyncio.timeout(30):
            while not await is_told():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        reading.cancel()
    return [type(each).__name__ for each in found[1:-1]]


async def heard(world: World, count: int, *, bootstrap: bool = False) -> list[str]:
    """What `billing` is told: so many things, and what else comes in the next second."""
    found: list[str] = []
    stream = EventStream(world.servers, group=billing(world), namespace=world.namespace)
    async with stream, aclosing(stream.bootstrap() if bootstrap else aiter(stream)) as told:
        with suppress(TimeoutError):
            async with asyncio.timeout(10 if count else 1.5) as limit:
                async for each in told:
                    if not isinstance(each, SnapshotBegins | SnapshotEnds):
                        what = each.data if isinstance(each, StreamEvent) else each
                        found.append(type(what).__name__)
                    if len(found) == count:
                        limit.reschedule(asyncio.get_running_loop().time() + 1)
    return sorted(found)


@pytest.mark.slow
async def test_a_group_that_is_moved_hears_again_what_was_said_since(
    told: World, admin: Admin
) -> None:
    move = GroupReplay(admin, told.namespace)
    first = await heard(told, 2 * USERS)

    foretold = await move.run(billing(told), 0, dry_run=True)
    nothing = await heard(told, 0)
    moved = await move.run(billing(told), 0, dry_run=False)
    again = await heard(told, 2 * USERS)
    await move.run(billing(told), 0, dry_run=False)
    ahead = await move.run(billing(told), clock.now(), dry_run=False)

    assert first == again == ["SessionStarted"] * USERS + ["UserCreated"] * USERS
    assert (nothing, await heard(told, 0)) == ([], [])
    assert foretold == moved
    assert [each.to for each in ahead] == [each.end for each in moved]


@pytest.mark.slow
async def test_a_group_with_a_view_hears_events_again_and_builds_no_second_view(
    told: World, admin: Admin
) -> None:
    first = await has_built_its_view(told, admin)

    await GroupReplay(admin, told.namespace).run(billing(told), 0, dry_run=False)
    again = await heard(told, 2 * USERS, bootstrap=True)

    assert first == ["UserState"] * USERS
    assert again == ["SessionStarted"] * USERS + ["UserCreated"] * USERS


async def test_a_group_with_members_and_one_of_the_service_are_not_moved(
    told: World, admin: Admin
) -> None:
    move = GroupReplay(admin, told.namespace)

    stream = EventStream(told.servers, group=billing(told), namespace=told.namespace)
    async with stream, aclosing(aiter(stream)) as events:
        await anext(events)
        with pytest.raises(GroupInUseError, match="1 members"):
            await move.run(billing(told), 0, dry_run=False)
    with pytest.raises(GroupInUseError, match="group of the service"):
        await move.run(f"{told.namespace}.cheap", 0, dry_run=False)


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_group_that_never_read_the_events_is_not_made(
    told: World, admin: Admin, dry_run: bool
) -> None:
    group = f"biling.{told.namespace}"

    with pytest.raises(ClusterError, match=f"no group {group} has read .*Look how it is written"):
        await GroupReplay(admin, told.namespace).run(group, 0, dry_run=dry_run)

    assert await admin.committed(group) == {}


async def test_a_new_topic_gets_the_events_that_are_asked_for_in_each_users_order(
    told: World, admin: Admin
) -> None:
    await a_new_topic(admin, NEW.name(told.namespace))
    said = await ends_of(told.servers, EVENTS, told.namespace)

    every = await events_copied(told, admin)
    some = await events_copied(told, admin, where=Where.read(["type=UserCreated"]), dry_run=True)

    assert (every.copied, some.selected, some.copied) == (2 * USERS, USERS, 0)
    assert await of_users(told, NEW) == await of_users(told, EVENTS)
    assert await ends_of(told.servers, EVENTS, told.namespace) == said


@pytest.mark.slow
async def test_a_copying_that_was_killed_goes_on_and_copies_nothing_twice(
    told: World, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay_id, part = new_id(), Copier.part
    await a_new_topic(admin, NEW.name(told.namespace))
    parts = 0

    async def dies(self: Copier, copies: Sequence[Copy]) -> list[Sent | None]:
        nonlocal parts
        parts += 1
        if parts > 2:
            raise ZeroDivisionError
        return await part(self, copies)

    with monkeypatch.context() as patched:
        patched.setattr(Copier, "part", dies)
        with pytest.raises(ZeroDivisionError):
            await events_copied(told, admin, replay_id=replay_id, rate=10)
    resumed = await events_copied(told, admin, replay_id=replay_id, resumed=True)

    assert (resumed.before, resumed.copied) == (2, 2 * USERS - 2)
    assert await of_users(told, NEW) == await of_users(told, EVENTS)


def test_no_topic_of_any_environments_declaration_takes_copies() -> None:
    ours = ("auth.x", "auth.events.v1", "prod.events.v1", replies("web").name("prod"))

    assert [is_ours(each, "auth") for each in ours] == [True] * len(ours)
    assert not is_ours("billing.backfill", "auth")


async def of_users(world: World, topic: Topic) -> dict[bytes, list[bytes]]:
    """The events on a topic, user by user."""
    found = defaultdict[bytes, list[bytes]](list)
    async for each in records(world.servers, topic, world.namespace):
        found[each.key or b""].append(each.value or b"")
    return dict(found)
