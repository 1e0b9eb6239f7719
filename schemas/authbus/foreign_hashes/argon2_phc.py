"""argon2i and argon2id, version 19, as PHC strings. argon2-cffi verifies them, as it does ours."""

import re

from authbus.foreign_hashes.scheme import RefusedHashError, decoded, encoded, within

_MOST_KIB = 256 * 1024
_MOST_WORK = 1024 * 1024
_MOST_LANES = 16
_LEAST_KIB_A_LANE = 8
_MOST_PASSES = 64


class Argon2:
    """`$argon2id$v=19$m=65536,t=3,p=4$salt$tag`: memory in KiB, passes, lanes."""

    form = re.compile(
        r"\$argon2(?:i|id)\$v=19\$m=([1-9][0-9]{0,8}),t=([1-9][0-9]{0,8}),p=([1-9][0-9]{0,8})"
        r"\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)"
    )

    def accepted(self, found: re.Match[str]) -> str:
        """See Scheme. The ceiling: 256 MiB, and 1 GiB written in all passes."""
        memory, passes, lanes = (int(found[each]) for each in (1, 2, 3))
        within("argon2 lanes", lanes, 1, _MOST_LANES)
        within("argon2 KiB", memory, _LEAST_KIB_A_LANE * lanes, _MOST_KIB)
        within("argon2 passes", passes, 1, _MOST_PASSES)
        if memory * passes > _MOST_WORK:
            raise RefusedHashError(f"argon2 KiB times passes: at most {_MOST_WORK}")
        salt, tag = decoded("argon2 salt", found[4], 8, 64), decoded("argon2 tag", found[5], 16, 64)
        return f"{found[0][: found.start(4)]}{encoded(salt)}${encoded(tag)}"

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """See Scheme. Needs the package `argon2-cffi`."""
        from argon2 import PasswordHasher  # noqa: PLC0415 - whoever checks none needs no package
        from argon2.exceptions import VerificationError  # noqa: PLC0415

        try:
            return PasswordHasher().verify(found[0], password)
        except VerificationError:
            return False
