from authbus_service.consumers.mismatches import MOST, Mismatches
from authbus_service.core.ids import new_id


def test_only_an_id_that_was_asked_under_too_often_is_told_nothing_of() -> None:
    mismatches, one, other = Mismatches(), new_id(), new_id()

    for _ in range(MOST):
        assert not mismatches.are_many(one)
        mismatches.note(one)
    mismatches.note(other)

    assert mismatches.are_many(one)
    assert not mismatches.are_many(other)


def test_what_is_remembered_is_bounded_and_the_newest_stays() -> None:
    mismatches, first, kept = Mismatches(), new_id(), new_id()
    for each in (first, kept):
        for _ in range(MOST):
            mismatches.note(each)

    for _ in range(10_000 - 1):
        mismatches.note(new_id())

    assert not mismatches.are_many(first)
    assert mismatches.are_many(kept)
