"""The devices that a user logged in from: SHA-256 of each one's token, 32 bytes each, in one text.

Whoever shows such a token at a log-in is counted apart from everybody else, so that guesses of
others lock nobody out of their own account.
"""

from authbus.commands import LogIn
from authbus.second_factor import CompleteLogIn
from authbus_service.core.security.masters import token_hash

_BYTES = 32
_MOST = 10


def known(devices: bytes, command: LogIn | CompleteLogIn) -> bytes | None:
    """SHA-256 of the device's token that came with a log-in, where it is one of them."""
    token = command.device_token
    device = None if token is None else token_hash(token.get_secret_value())
    return device if knows(devices, device) else None


def knows(devices: bytes, device: bytes | None) -> bool:
    """Whether this is one of them."""
    return device is not None and device in every(devices)


def seen(devices: bytes, device: bytes) -> bytes:
    """The same with this one as the last that was used; the one unused for longest gives way."""
    others = [each for each in every(devices) if each != device]
    return b"".join([*others, device][-_MOST:])


def every(devices: bytes) -> list[bytes]:
    """Each of them, the one unused for longest first."""
    return [devices[at : at + _BYTES] for at in range(0, len(devices), _BYTES)]
