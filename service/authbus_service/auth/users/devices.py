"""The devices that a user logged in from: SHA-256 of each one's token, 32 bytes each, in one text.

Whoever shows such a token at a log-in is counted apart from everybody else, so that guesses of
others lock nobody out of their own account.
"""

_BYTES = 32
_MOST = 10


def knows(devices: bytes, token_hash: bytes | None) -> bool:
    """Whether this is one of them."""
    return token_hash is not None and token_hash in _each(devices)


def seen(devices: bytes, token_hash: bytes) -> bytes:
    """The same with this one as the last that was used; the one unused for longest gives way."""
    others = [each for each in _each(devices) if each != token_hash]
    return b"".join([*others, token_hash][-_MOST:])


def _each(devices: bytes) -> list[bytes]:
    return [devices[at : at + _BYTES] for at in range(0, len(devices), _BYTES)]
