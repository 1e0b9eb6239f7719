"""The devices that a user is known by."""

from hashlib import sha256

import pytest

from authbus.events import AnyEvent, PasswordChanged, PasswordReason, PasswordResetForced
from authbus_service.auth.handlers import apply
from authbus_service.auth.mails import Mail, Template
from authbus_service.auth.notices import new_device_notice
from authbus_service.auth.private import Private
from authbus_service.auth.rows import Rows
from authbus_service.auth.users.devices import knows, seen
from authbus_service.auth.users.user import User
from authbus_service.core.ids import new_id
from tests.rig.made import NOW


def device(number: int) -> bytes:
    return sha256(bytes([number])).digest()


def test_a_device_is_known_once_it_was_seen_and_no_part_of_two_is_one() -> None:
    devices = seen(seen(b"", device(1)), device(2))

    assert knows(devices, device(1))
    assert knows(devices, device(2))
    assert not knows(devices, device(3))
    assert not knows(devices, None)
    assert not knows(devices, devices[16:48])
    assert not knows(b"", b"")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (PasswordChanged, {"reason": PasswordReason.CHANGED}),
        (PasswordChanged, {"reason": PasswordReason.RESET}),
        (PasswordResetForced, {}),
    ],
)
def test_no_device_that_became_known_by_an_old_password_is_known(
    kind: type[AnyEvent], why: dict[str, PasswordReason]
) -> None:
    rows, ana = Rows(), an_account()
    ana.devices = seen(b"", device(1))
    rows.users.by_id[ana.id] = ana
    told = {"user_id": ana.id, "sequence": 5, "actor": "", "causation_id": new_id()}

    apply(kind.model_validate({**told, **why}), Private(password_hash="new"), rows, NOW)

    assert not knows(ana.devices, device(1))
    assert rows.users.changed == [ana]


def test_the_first_device_is_told_of_after_a_new_password_and_not_before() -> None:
    ana = an_account()
    ana.email_verified = True
    before = new_device_notice(ana, named=True, known=False)
    ana.credential_version += 1

    assert before == ()
    assert new_device_notice(ana, named=True, known=False) == (Mail.to(ana, Template.NEW_DEVICE),)
    assert new_device_notice(ana, named=False, known=False) == ()


def test_nobody_is_told_of_a_device_at_an_address_that_nobody_has_shown() -> None:
    ana = an_account()
    ana.credential_version += 1

    assert new_device_notice(ana, named=True, known=False) == ()


def an_account() -> User:
    return User(new_id(), 4, "active", "phc", 1, NOW, "ana@example.com")


def test_the_device_unused_for_longest_gives_way_and_one_seen_again_stays() -> None:
    devices = b""
    for number in range(10):
        devices = seen(devices, device(number))
    devices = seen(devices, device(0))

    devices = seen(devices, device(10))

    assert len(devices) == 10 * 32
    assert [number for number in range(11) if not knows(devices, device(number))] == [1]
