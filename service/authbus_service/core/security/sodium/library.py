"""libsodium as PyNaCl's wheel brings it, ready for hashes of one size."""

from importlib.util import find_spec

from nacl.bindings import crypto_pwhash_alg, crypto_pwhash_ALG_ARGON2ID13

from authbus_service.core.security.library import Library
from authbus_service.core.security.sodium import kept

_SLICES = 4
_TRIED = 2


def load(memory_kib: int) -> Library:
    """The library; where it can be done, hashes of so much memory keep it, as the name says."""
    plain, size = Library("libsodium", tag), memory_kib // _SLICES * _SLICES * 1024
    module = find_spec("nacl._sodium")
    if module is None or module.origin is None:
        return plain
    known = known_tag(memory_kib)
    if not kept.keep(module.origin, size):
        return plain
    if any(known_tag(memory_kib) != known for _ in range(_TRIED)):
        kept.sizes.discard(size)
        return plain
    return Library("libsodium, memory kept", tag)


def known_tag(memory_kib: int) -> bytes:
    """The same each time, or something is wrong."""
    return tag(b"the same", bytes(16), memory_kib, 1, 32)


def tag(password: bytes, salt: bytes, memory_kib: int, passes: int, length: int) -> bytes:
    """See Library."""
    memory = memory_kib * 1024
    return crypto_pwhash_alg(length, password, salt, passes, memory, crypto_pwhash_ALG_ARGON2ID13)
