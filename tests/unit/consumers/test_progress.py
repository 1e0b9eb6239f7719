"""How far a partition is finished, in whatever order its records are."""

from itertools import permutations

import pytest

from authbus_service.consumers.progress import Progress
from tests.rig.made import an_arrival

PLACE = ("commands.credentials.v1", 0)
OTHER = ("commands.credentials.v1", 1)


@pytest.fixture
def progress() -> Progress:
    return Progress()


def began(progress: Progress, *offsets: int, partition: int = 0) -> None:
    for offset in offsets:
        assert progress.begin(an_arrival(offset, partition=partition))


def test_the_fence_goes_to_the_lowest_unfinished_record_whatever_finishes_first() -> None:
    for order in permutations(range(10, 14)):
        progress = Progress()
        began(progress, 10, 11, 12, 13)
        finished: set[int] = set()

        for offset in order:
            progress.finish(an_arrival(offset))
            finished.add(offset)

            unfinished = [each for each in range(10, 14) if each not in finished]
            low = min(unfinished, default=14)
            assert progress.ahead() == {PLACE: low}
            assert progress.span(PLACE) == 14 - low


def test_a_gap_between_offsets_counts_as_finished(progress: Progress) -> None:
    began(progress, 3, 7)

    progress.finish(an_arrival(3))

    assert progress.ahead() == {PLACE: 7}


def test_below_tells_where_the_fence_will_be_and_changes_nothing(progress: Progress) -> None:
    began(progress, 0, 1, 2)
    began(progress, 5, partition=1)

    assert progress.below([an_arrival(0), an_arrival(1)]) == {PLACE: 2}
    assert progress.below([an_arrival(1), an_arrival(2)]) == {PLACE: 0}
    assert progress.below([an_arrival(0), an_arrival(5, partition=1)]) == {PLACE: 1, OTHER: 6}
    assert progress.below([an_arrival(0), an_arrival(1), an_arrival(2)]) == {PLACE: 3}
    assert progress.below([]) == {}
    assert progress.span(PLACE) == 3


def test_what_is_durable_is_not_ahead_and_never_goes_back(progress: Progress) -> None:
    began(progress, 0, 1)
    progress.finish(an_arrival(0))

    progress.moved({PLACE: 1})
    assert progress.ahead() == {}

    progress.moved({PLACE: 0})
    assert progress.durable == {PLACE: 1}


def test_a_log_that_went_back_is_counted_anew_and_kafka_may_be_told_no_more_than_that(
    progress: Progress,
) -> None:
    began(progress, *range(10))
    for offset in range(10):
        progress.finish(an_arrival(offset))
    progress.moved({PLACE: 10})
    assert progress.safe() == {PLACE: 10}

    assert not progress.begin(an_arrival(5, b"another"))
    began(progress, 6)
    progress.moved({PLACE: 10})
    assert progress.safe() == {PLACE: 5}
    progress.finish(an_arrival(5, b"another"))

    assert progress.safe() == {PLACE: 6}
    assert progress.ahead() == {}


def test_a_record_of_a_lost_end_does_not_finish_the_one_that_came_in_its_place(
    progress: Progress,
) -> None:
    began(progress, 0, 1)
    assert not progress.begin(an_arrival(0, b"another"))

    assert progress.below([an_arrival(0)]) == {}
    progress.finish(an_arrival(0))

    assert progress.ahead() == {}
    assert [each.offset for each in progress.oldest()] == [0]
    assert progress.below([an_arrival(0, b"another")]) == {PLACE: 1}


def test_a_partition_that_was_left_has_no_say_and_may_come_again_from_below(
    progress: Progress,
) -> None:
    began(progress, 5, 6)
    began(progress, 0, partition=1)
    progress.moved({PLACE: 5, OTHER: 0})

    progress.forget([PLACE])
    progress.finish(an_arrival(5))

    assert progress.below([an_arrival(6)]) == {}
    assert progress.ahead() == {}
    assert progress.span(PLACE) == 0
    assert list(progress) == [OTHER]
    progress.moved({PLACE: 9})
    assert progress.durable == {OTHER: 0}
    began(progress, 4)
    assert progress.below([an_arrival(4)]) == {PLACE: 5}
