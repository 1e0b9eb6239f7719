"""The rules of a key's life: a new one is announced, then serves in place of the one before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from authbus.topics import COMMANDS_KEPT
from authbus_service.core.security.keyring import USES, Key, first_keys
from authbus_service.core.security.masters import Masters
from authbus_service.core.security.rotation import (
    RotationError,
    require_needless,
    rotated,
)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LEAD, SECOND = timedelta(seconds=60), timedelta(seconds=1)
OLD, NEW = Masters([bytes(range(32))]), Masters([bytes(range(100, 132)), bytes(range(32))])
SIG, ENC = first_keys(NOW - timedelta(days=1), OLD)


def test_at_every_moment_of_a_rotation_one_key_of_each_use_serves() -> None:
    change = rotated([SIG, ENC], USES, NOW, LEAD, OLD)

    keys = [*change.new, *change.retired]
    for at in (NOW, NOW + LEAD - SECOND, NOW + LEAD, NOW + LEAD + SECOND):
        serving = [key for key in keys if key.state(at) == "serves"]
        assert [key.use for key in serving] == ["sig", "enc"]
        assert all((key in change.new) is (at >= NOW + LEAD) for key in serving)


def test_a_rotation_of_one_use_leaves_the_other_as_it_is() -> None:
    change = rotated([SIG, ENC], ["enc"], NOW, LEAD, OLD)

    assert [key.use for key in change.new] == ["enc"]
    assert change.retired == [replace(ENC, retired_at=NOW + LEAD)]


def test_a_new_key_is_the_current_masters_under_a_name_of_its_own() -> None:
    change = rotated([SIG, ENC], USES, NOW, LEAD, NEW)

    assert {key.master for key in change.new} == {NEW.current}
    assert {key.master for key in change.retired} == {OLD.current}
    assert len({key.kid for key in [*change.new, *change.retired]}) == 4


def test_every_key_that_serves_retires_also_when_there_are_more_than_one() -> None:
    other = replace(SIG, kid="other", not_before=NOW - SECOND)
    gone = replace(SIG, kid="gone", retired_at=NOW - SECOND)

    change = rotated([SIG, other, gone], ["sig"], NOW, LEAD, OLD)

    assert {key.kid for key in change.retired} == {SIG.kid, "other"}


def test_a_rotation_while_one_is_ahead_is_refused_and_taken_when_its_time_has_come() -> None:
    first = rotated([SIG, ENC], USES, NOW, LEAD, OLD)
    keys = [*first.new, *first.retired]

    with pytest.raises(RotationError, match=r"serves from 2026-11-24T12:01:00\+00:00"):
        rotated(keys, USES, NOW + LEAD - SECOND, LEAD, OLD)

    second = rotated(keys, USES, NOW + LEAD, LEAD, OLD)
    assert {key.kid for key in second.retired} == {key.kid for key in first.new}


def test_without_a_key_that_serves_there_is_nothing_to_rotate() -> None:
    with pytest.raises(RotationError, match="no enc key yet"):
        rotated([SIG], USES, NOW, LEAD, OLD)


@pytest.mark.parametrize(
    ("key", "kept", "what"),
    [(SIG, timedelta(minutes=11), "tokens"), (ENC, COMMANDS_KEPT, "commands")],
    ids=USES,
)
def test_a_key_can_go_when_nothing_that_needs_it_can_be_left(
    key: Key, kept: timedelta, what: str
) -> None:
    retired = replace(key, retired_at=NOW)

    assert retired.needed_until == NOW + kept
    with pytest.raises(RotationError, match=f"{what}.*{(NOW + kept).isoformat()[:19]}"):
        require_needless(retired, NOW + kept)
    require_needless(retired, NOW + kept + SECOND)


def test_a_key_that_was_not_replaced_never_can() -> None:
    assert SIG.needed_until is None
    with pytest.raises(RotationError, match="authbus keys rotate"):
        require_needless(SIG, NOW + timedelta(days=999))
