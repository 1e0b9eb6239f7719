"""scrypt, by the standard library: as Django writes it and as a PHC string."""

import hashlib
import hmac
import re

from authbus.foreign_hashes.scheme import RefusedHashError, decoded, within

_MOST_BYTES = 256 * 1024 * 1024
_MOST_WORK = 1 << 21
_MOST_EXPONENT = 20
_MOST_FACTOR = 64
_SLACK_BYTES = 1024 * 1024
# N is below 2^(16r): RFC 7914, 6.
_BITS_A_BLOCK = 16


def checked(exponent: int, block: int, lanes: int) -> None:
    """Raises RefusedHashError for what is no scrypt, or costs too much.

    That is above 256 MiB, or above twice the work of N=2^17, r=8, p=1.
    """
    within("scrypt exponent of N", exponent, 1, _MOST_EXPONENT)
    within("scrypt r", block, 1, _MOST_FACTOR)
    within("scrypt p", lanes, 1, _MOST_FACTOR)
    if exponent >= _BITS_A_BLOCK * block:
        raise RefusedHashError("scrypt N where r is 1: below 65536; leave the hash out")
    if 128 * block << exponent > _MOST_BYTES:
        raise RefusedHashError("scrypt memory: at most 256 MiB")
    if block * lanes << exponent > _MOST_WORK:
        raise RefusedHashError(f"scrypt N times r times p: at most {_MOST_WORK}")


def derived(
    password: bytes, salt: bytes, *, exponent: int, block: int, lanes: int, size: int
) -> bytes:
    """The key of `size` bytes at N = 2^exponent."""
    memory = (128 * block << exponent) + 128 * block * lanes + _SLACK_BYTES
    return hashlib.scrypt(
        password, salt=salt, n=1 << exponent, r=block, p=lanes, maxmem=memory, dklen=size
    )


class DjangoScrypt:
    """`scrypt$16384$salt$8$1$tag`: N, a salt in plain text, r, p, base64."""

    form = re.compile(
        r"scrypt\$([0-9]{1,9})\$([!-#%-~]{1,128})\$([0-9]{1,9})\$([0-9]{1,9})\$([A-Za-z0-9+/]+=*)"
    )

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme and `checked`."""
        if int(found[1]).bit_count() != 1:
            raise RefusedHashError("scrypt N: a power of two")
        checked(_exponent(found), int(found[3]), int(found[4]))
        decoded("scrypt tag", found[5], 16, 64)
        return found[0]

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme."""
        tag = decoded("scrypt tag", found[5], 16, 64)
        made = derived(
            password,
            found[2].encode(),
            exponent=_exponent(found),
            block=int(found[3]),
            lanes=int(found[4]),
            size=len(tag),
        )
        return hmac.compare_digest(made, tag)


def _exponent(found: re.Match[str]) -> int:
    return int(found[1]).bit_length() - 1


class PhcScrypt:
    """`$scrypt$ln=16,r=8,p=1$salt$tag`: N = 2^ln, base64."""

    form = re.compile(
        r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,9}),p=([0-9]{1,9})\$([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*)"
    )

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme and `checked`."""
        checked(*(int(found[each]) for each in (1, 2, 3)))
        decoded("scrypt salt", found[4], 1, 128)
        decoded("scrypt tag", found[5], 16, 64)
        return found[0]

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme."""
        exponent, block, lanes = (int(found[each]) for each in (1, 2, 3))
        salt, tag = decoded("salt", found[4], 1, 128), decoded("tag", found[5], 16, 64)
        made = derived(password, salt, exponent=exponent, block=block, lanes=lanes, size=len(tag))
        return hmac.compare_digest(made, tag)
