"""One key in order, other keys side by side, so many at a time, and what a rebalance asks."""

import asyncio
from dataclasses import replace

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.bounded import size_of
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.progress import Progress
from tests.rig.made import an_arrival
from tests.unit.consumers.laning import Handler, Source, keyed, settled, settled_lanes

PLACE = ("commands.credentials.v1", 0)
OTHER = ("commands.credentials.v1", 1)


async def test_records_of_one_key_are_handled_in_order_and_never_two_at_once() -> None:
    handler = Handler(held=False)
    lanes = Lanes(handler, Progress())

    await lanes.feed(keyed("ab" * 50), Source())
    assert await lanes.drain([], within=1)
    await settled_lanes(lanes)

    assert [each for each in handler.done if each % 2 == 0] == list(range(0, 100, 2))
    assert [each for each in handler.done if each % 2] == list(range(1, 100, 2))


async def test_other_keys_and_records_without_a_key_run_side_by_side() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress())
    without = [an_arrival(offset) for offset in (3, 4)]

    await lanes.feed([*keyed("aab"), *without], Source())
    await settled()

    assert handler.offsets == [0, 2, 3, 4]
    handler.release(4, 3, 2)
    await settled()
    assert handler.offsets == [0]


async def test_a_key_is_its_own_in_each_partition() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress())

    await lanes.feed([an_arrival(0, b"a"), an_arrival(1, b"a", partition=1)], Source())
    await settled()

    assert len(handler.running) == 2


async def test_only_so_many_are_taken_in_at_a_time() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress(), in_flight=3)

    feeding = asyncio.create_task(lanes.feed(keyed("abcde"), Source()))
    await settled()
    assert handler.offsets == [0, 1, 2]
    assert not feeding.done()
    handler.release(0, 1)
    await settled()

    assert feeding.done()
    assert handler.offsets == [2, 3, 4]
    assert handler.most == 3


async def test_a_key_that_has_to_wait_keeps_nobody_else_out() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress(), in_flight=2)

    await asyncio.wait_for(lanes.feed(keyed("a" * 500 + "b"), Source()), 1)
    await settled()

    assert handler.offsets == [0, 500]


async def test_a_partition_is_paused_when_too_much_of_it_is_queued() -> None:
    handler, source, progress = Handler(), Source(), Progress()
    size = size_of(an_arrival(0, b"a"))
    lanes = Lanes(handler, progress, size=4 * size)

    await lanes.feed(keyed("aaaaab"), source)
    await settled()
    assert source.paused == {PLACE}
    handler.release(*range(3))
    await settled()
    assert source.paused == {PLACE}
    handler.release(3)
    await settled()

    assert source.log == ["paused", "resumed"]


async def test_a_key_and_headers_count_as_what_is_queued() -> None:
    handler, source = Handler(), Source()
    large = b"x" * 1000
    lanes = Lanes(handler, Progress(), size=2500)
    named = [replace(an_arrival(each, b"k"), headers=[("x", large)]) for each in range(3)]

    await lanes.feed(named[:2], source)
    assert source.log == []
    await lanes.feed(named[2:], source)
    assert source.log == ["paused"]
    handler.release(0, 1, 2)
    await settled()
    assert source.log == ["paused", "resumed"]

    await lanes.feed([an_arrival(3, large * 3)], source)

    assert source.log == ["paused", "resumed", "paused"]


async def test_a_partition_is_paused_past_its_span_and_resumed_at_half_of_it() -> None:
    handler, source, progress = Handler(), Source(), Progress()
    lanes = Lanes(handler, progress, span=10)
    others = list(range(1, 12))

    await lanes.feed([an_arrival(0, b"stuck"), *(an_arrival(each) for each in others)], source)
    handler.release(*others)
    await settled()
    assert source.paused == {PLACE}
    assert progress.span(PLACE) == 12
    handler.release(0)
    await settled()

    assert source.log == ["paused", "resumed"]
    assert progress.span(PLACE) == 0


async def test_a_drain_drops_what_is_queued_and_waits_for_what_runs() -> None:
    handler, progress = Handler(), Progress()
    lanes = Lanes(handler, progress)
    await lanes.feed(keyed("aaab"), Source())
    await settled()

    draining = asyncio.create_task(lanes.drain([PLACE], within=5))
    await settled()
    assert not draining.done()
    handler.release(0, 3)

    assert await draining
    assert handler.done == [0, 3]
    assert lanes.running == 0
    assert progress.ahead() == {PLACE: 1}


async def test_a_drain_that_takes_too_long_says_so() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress())
    await lanes.feed(keyed("a"), Source())
    await settled()

    assert not await lanes.drain([PLACE], within=0.01)
    handler.release(0)
    assert await lanes.drain([PLACE], within=1)


async def test_a_batch_that_waits_for_slots_is_dropped_by_a_drain() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress(), in_flight=1)
    feeding = asyncio.create_task(lanes.feed(keyed("abc"), Source()))
    await settled()

    draining = asyncio.create_task(lanes.drain([PLACE], within=5))
    await settled()
    handler.release(0, 1, 2)
    await asyncio.gather(draining, feeding)

    assert handler.done == [0]


async def test_a_drain_of_one_partition_leaves_the_others_alone() -> None:
    handler = Handler()
    lanes = Lanes(handler, Progress(), in_flight=4)
    mine = [an_arrival(each, b"a") for each in (0, 1)]
    others = [an_arrival(each, b"a", partition=1) for each in (10, 11, 12)]
    feeding = asyncio.create_task(lanes.feed([*mine, *others], Source()))
    await settled()

    draining = asyncio.create_task(lanes.drain([PLACE], within=5))
    handler.release(0)
    assert await asyncio.wait_for(draining, 1)
    handler.release(10, 11, 12)
    await feeding
    await settled_lanes(lanes)

    assert handler.done == [0, 10, 11, 12]


async def test_after_the_last_drain_nothing_is_taken_in() -> None:
    handler, progress = Handler(held=False), Progress()
    lanes = Lanes(handler, progress)

    assert await lanes.drain(within=1)
    await lanes.feed(keyed("ab"), Source())
    await settled()

    assert handler.done == []
    assert progress.ahead() == {}


async def test_a_cancelled_record_stays_unfinished_and_gives_its_slots_back() -> None:
    handler, progress = Handler(), Progress()
    lanes = Lanes(handler, progress, in_flight=2)
    await lanes.feed(keyed("aa"), Source())
    await settled()

    await lanes.cancel()
    await settled()

    assert lanes.running == 0
    assert progress.ahead() == {}
    await asyncio.wait_for(lanes.feed(keyed("bc", first=2), Source()), 1)


async def test_a_handler_that_raises_is_asked_again_and_its_lane_goes_on() -> None:
    attempts: list[int] = []

    async def handle(arrival: Arrival) -> None:
        attempts.append(arrival.offset)
        if len(attempts) < 3:
            raise ZeroDivisionError

    progress = Progress()
    lanes = Lanes(handle, progress, pause=0.001)

    await lanes.feed(keyed("aa"), Source())
    await settled_lanes(lanes)

    assert attempts == [0, 0, 0, 1]
    assert progress.ahead() == {PLACE: 2}


async def test_a_partition_that_comes_back_is_read_from_where_it_was_left() -> None:
    handler, progress = Handler(), Progress()
    lanes = Lanes(handler, progress)
    await lanes.feed(keyed("aaa"), Source())
    await settled()
    assert not await lanes.drain([PLACE], within=0.01)
    progress.forget([PLACE])

    await lanes.feed(keyed("aaa"), Source())
    handler.release(0, 1, 2)
    await settled_lanes(lanes)

    assert handler.done == [0, 0, 1, 2]
    assert progress.ahead() == {PLACE: 3}
