"""What a recovery makes of the key topic: the last signed word on each key, and no one else's."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from authbus.topics import COMMANDS_KEPT
from authbus_service.core.security.keyring import Key, KeyRing
from authbus_service.core.security.masters import Masters
from authbus_service.outbox.repository import Said
from authbus_service.recovery.keys import SaidKeys, Unsaid, changes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OURS, FOREIGN = Masters([bytes(range(32))]), Masters([bytes(range(100, 132))])
KEY = Key("k1", "enc", OURS.current, NOW - timedelta(days=99))
LATER = Key("k2", "enc", OURS.current, NOW - timedelta(days=9))
RETIRED = replace(KEY, retired_at=NOW - timedelta(hours=1))
NEEDLESS = replace(KEY, retired_at=NOW - COMMANDS_KEPT - timedelta(seconds=1))
ROW = Said(1, UUID(int=1))


def record(key: Key, masters: Masters = OURS) -> bytes:
    ring = KeyRing(masters)
    ring.load([replace(key, master=masters.current)])
    (public,) = ring.public_records()
    return public.to_bytes()


def told(*values: bytes | None, kid: str = "k1") -> SaidKeys:
    found = SaidKeys()
    for value in values:
        found.note(kid, value, OURS)
    return found


def known(*keys: Key) -> dict[str, Key]:
    return {key.kid: key for key in keys}


def test_a_key_that_the_backup_does_not_know_comes_back() -> None:
    change = changes(known(), told(record(KEY)), [], NOW)

    assert change.missing == change.keys == [KEY]


def test_a_key_that_the_backup_knows_as_serving_has_retired_when_the_topic_says_so() -> None:
    change = changes(known(KEY, LATER), told(record(KEY), record(RETIRED)), [], NOW)

    assert change.retired == [RETIRED]
    assert (change.missing, change.destroyed) == ([], [])
    assert known(*change.keys) == known(RETIRED, LATER)


def test_a_retirement_that_only_the_database_knows_stays() -> None:
    waits = [Unsaid(ROW, "k1", is_end=False)]

    change = changes(known(RETIRED), told(record(KEY)), waits, NOW)

    assert (change.keys, change.retired, change.outdated) == ([RETIRED], [], [])


def test_a_key_that_has_retired_stays_so_when_its_old_record_comes_again() -> None:
    assert told(record(KEY), record(RETIRED), record(KEY)).keys == known(RETIRED)


@pytest.mark.parametrize(
    "other",
    [record(LATER), record(RETIRED, FOREIGN), b"{}", b"\xff", record(RETIRED)[:-9]],
    ids=["of another key", "of a foreign root", "empty", "no text", "cut off"],
)
def test_a_record_that_we_did_not_sign_under_this_name_says_nothing(other: bytes) -> None:
    assert told(record(KEY), other).keys == known(KEY)


@pytest.mark.parametrize(
    ("values", "before"),
    [
        ([record(NEEDLESS), None], [NEEDLESS]),
        ([record(NEEDLESS), None], [KEY]),
        ([record(NEEDLESS), None], []),
        ([None], [NEEDLESS]),
        ([], [NEEDLESS]),
    ],
    ids=["kept", "kept as serving", "not kept", "record compacted", "tombstone compacted"],
)
def test_a_key_that_was_destroyed_stays_gone(
    values: Iterable[bytes | None], before: list[Key]
) -> None:
    change = changes(known(*before), told(*values), [], NOW)

    assert (change.keys, change.missing) == ([], [])
    assert change.destroyed == [key.kid for key in before]


@pytest.mark.parametrize("key", [KEY, RETIRED], ids=["serving", "retired lately"])
def test_a_tombstone_takes_no_key_away_that_may_be_needed(key: Key) -> None:
    kept = changes(known(key), told(record(key), None), [], NOW)
    back = changes(known(), told(record(key), None), [], NOW)
    alone = changes(known(key), told(), [], NOW)

    assert kept.keys == back.missing == alone.keys == [key]


def test_an_end_that_still_waits_to_be_said_is_not_undone() -> None:
    change = changes(known(), told(record(NEEDLESS)), [Unsaid(ROW, "k1", is_end=True)], NOW)

    assert (change.keys, change.outdated) == ([], [])


def test_a_row_of_the_outbox_that_the_topic_is_past_is_not_said_again() -> None:
    row = Unsaid(ROW, "k1", is_end=False)

    for values in ([record(KEY), record(RETIRED)], [record(NEEDLESS), None]):
        assert changes(known(KEY), told(*values), [row], NOW).outdated == [ROW]
    assert changes(known(KEY), told(), [row], NOW).outdated == []


def test_a_key_that_was_never_said_waits_to_be_said_and_stays() -> None:
    change = changes(known(NEEDLESS), told(), [Unsaid(ROW, "k1", is_end=False)], NOW)

    assert change.keys == [NEEDLESS]
