"""The devices that a user is known by."""

from hashlib import sha256

from authbus_service.auth.users.devices import knows, seen


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


def test_the_device_unused_for_longest_gives_way_and_one_seen_again_stays() -> None:
    devices = b""
    for number in range(10):
        devices = seen(devices, device(number))
    devices = seen(devices, device(0))

    devices = seen(devices, device(10))

    assert len(devices) == 10 * 32
    assert [number for number in range(11) if not knows(devices, device(number))] == [1]
