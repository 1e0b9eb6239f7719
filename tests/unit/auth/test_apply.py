"""Events change rows, and nothing else does."""

from datetime import timedelta
from uuid import UUID

import pytest

from authbus.events import AnyEvent, EndReason, SessionEnded, SessionStarted, UserCreated
from authbus.state import SessionRevoked, UserState, UserStatus
from authbus_service.auth.handlers import apply
from authbus_service.auth.private import NOTHING, Private
from authbus_service.auth.rows import Rows
from authbus_service.auth.sessions.session import Session
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW

ANA, SESSION, COMMAND = new_id(), new_id(), new_id()
NEW = Private(address="Ana@example.com", canonical="ana@example.com", password_hash="phc")
LATER = NOW + timedelta(hours=1)


def created(sequence: int = 1, user_id: UUID = ANA) -> UserCreated:
    return UserCreated(
        user_id=user_id, sequence=sequence, actor=f"user:{user_id}", causation_id=COMMAND
    )


def started(sequence: int) -> SessionStarted:
    return SessionStarted(
        user_id=ANA,
        sequence=sequence,
        actor=f"user:{ANA}",
        causation_id=COMMAND,
        session_id=SESSION,
        client_id="web",
        amr=("pwd",),
        expires_at=LATER,
        lapses_at=LATER,
    )


def ended(sequence: int) -> SessionEnded:
    return SessionEnded(
        user_id=ANA,
        sequence=sequence,
        actor=f"user:{ANA}",
        causation_id=COMMAND,
        session_id=SESSION,
        reason=EndReason.LOGOUT,
    )


@pytest.fixture
def rows() -> Rows:
    """Ana is there."""
    made = Rows()
    apply(created(), NEW, made, NOW)
    return made


def test_user_created_makes_the_user_and_the_public_state(rows: Rows) -> None:
    state = apply(created(), NEW, again := Rows(), NOW)

    assert state == UserState(
        user_id=ANA, sequence=1, email="Ana@example.com", status=UserStatus.ACTIVE
    )
    assert again.users.new == [
        User(
            id=ANA,
            sequence=1,
            status="active",
            password_hash="phc",
            credential_version=1,
            created_at=NOW,
            email="Ana@example.com",
        )
    ]
    assert again.users.changed == []


def test_session_started_makes_the_session_and_says_nothing_public(rows: Rows) -> None:
    private = Private(
        family_hash=b"family", refresh_hash=b"hash", device="a phone", ip_address="192.0.2.7"
    )

    state = apply(started(2), private, rows, NOW)

    assert state is None
    assert rows.sessions.new == [
        Session(
            id=SESSION,
            user_id=ANA,
            client_id="web",
            amr=("pwd",),
            family_hash=b"family",
            refresh_hash=b"hash",
            started_at=NOW,
            last_used_at=NOW,
            authenticated_at=NOW,
            lapses_at=LATER,
            expires_at=LATER,
            device="a phone",
            ip_address="192.0.2.7",
        )
    ]
    assert (rows.users.by_id[ANA].sequence, rows.users.by_id[ANA].password_hash) == (2, "phc")


def test_a_rehash_rides_with_the_log_in_and_leaves_the_credentials_version(rows: Rows) -> None:
    apply(started(2), Private(refresh_hash=b"hash", password_hash="stronger"), rows, NOW)

    user = rows.users.by_id[ANA]
    assert (user.password_hash, user.credential_version) == ("stronger", 1)


def test_session_ended_ends_it_and_tells_those_who_verify(rows: Rows) -> None:
    apply(started(2), Private(refresh_hash=b"hash"), rows, NOW)

    state = apply(ended(3), NOTHING, rows, LATER)

    assert state == SessionRevoked(session_id=SESSION, user_id=ANA, ended_at=LATER)
    session = rows.sessions.known[SESSION]
    assert (session.ended_at, session.end_reason) == (LATER, "logout")
    assert rows.users.by_id[ANA].sequence == 3


def test_rows_that_were_loaded_are_updated_and_rows_that_were_made_are_inserted(
    rows: Rows,
) -> None:
    loaded = Rows()
    loaded.users.by_id = dict(rows.users.by_id)

    apply(started(2), Private(refresh_hash=b"hash"), loaded, NOW)
    apply(ended(3), NOTHING, loaded, LATER)

    assert ([u.id for u in loaded.users.changed], loaded.users.new) == ([ANA], [])
    assert ([s.id for s in loaded.sessions.new], loaded.sessions.changed) == ([SESSION], [])


@pytest.mark.parametrize("wrong", [started(1), started(3), ended(1), ended(3)])
def test_a_gap_or_a_repeat_in_a_users_sequence_is_an_error(rows: Rows, wrong: AnyEvent) -> None:
    with pytest.raises(ValueError, match="does not follow 1"):
        apply(wrong, NOTHING, rows, NOW)


def test_an_address_that_no_user_came_of_is_to_be_released() -> None:
    rows = Rows()
    rows.users.owners = {"ana@example.com": ANA, "eve@example.com": new_id()}

    apply(created(), NEW, rows, NOW)

    assert rows.users.free == ["eve@example.com"]
