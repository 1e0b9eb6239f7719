"""A partition's log that lost its end, or whose topic was made anew, while it is read."""

from collections.abc import Collection

import pytest
from structlog.testing import capture_logs

from authbus_service.consumers.arrival import Arrival
from authbus_service.consumers.lanes import Lanes
from authbus_service.consumers.progress import Progress
from tests.unit.consumers.laning import Handler, Source, keyed, settled_lanes

PLACE = ("commands.credentials.v1", 0)


@pytest.mark.parametrize("passed", [False, True])
async def test_records_of_a_log_that_went_back_are_handled_and_it_is_logged_once(
    *, passed: bool
) -> None:
    async def passing(arrivals: Collection[Arrival]) -> Collection[int]:
        return range(len(arrivals)) if passed and handler.done else ()

    handler, progress = Handler(held=False), Progress()
    lanes = Lanes(handler, progress, passing=passing)
    await lanes.feed(keyed("a" * 10), Source())
    await settled_lanes(lanes)

    with capture_logs() as lines:
        await lanes.feed(keyed("bb", first=5), Source())
        await settled_lanes(lanes)

    assert handler.done[10:] == ([] if passed else [5, 6])
    assert progress.unfinished == progress.span(PLACE) == 0
    assert [(each["place"], each["offset"]) for each in lines] == [(PLACE, 5)]
