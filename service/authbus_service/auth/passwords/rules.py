"""What a new password must be: long enough, not a common one, not made of its owner's own words.

No rule of composition and none of expiry (NIST SP 800-63B). The list of common passwords is
zxcvbn's, offline.
"""

import re
from collections.abc import Iterable
from functools import cache

from authbus.replies import Code
from authbus_service.core.security.passwords import normalised

_SHORTEST_WORD = 4
_SERVICE = "authbus"
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def judge(password: str, address: str, min_length: int) -> Code | None:
    """Which rule refuses this password of a canonical address, or None.

    Length is in code points after NFC.
    """
    encoded = normalised(password)
    if encoded is None:
        return Code.PASSWORD_TOO_LONG
    text = encoded.decode()
    if len(text) < min_length:
        return Code.PASSWORD_TOO_SHORT
    folded = text.casefold()
    if _is_common(folded):
        return Code.PASSWORD_COMMON
    if _is_made_of(folded, _own_words(address)):
        return Code.PASSWORD_PERSONAL
    return None


def _own_words(address: str) -> frozenset[str]:
    """The words that an address gives away, and the service's own name."""
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")[:-1]
    words = {local, domain, *re.split(r"[\W_]+", local), *labels, _SERVICE}
    return frozenset(word for word in words if len(word) >= _SHORTEST_WORD)


def _is_common(folded: str) -> bool:
    core = folded.strip("".join(char for char in set(folded) if not char.isalpha()))
    unit = _repeated(folded)
    return (
        folded in _common()
        or (core in _common() and 2 * len(core) > len(folded))
        or unit in _common()
        or len(set(folded)) <= _SHORTEST_WORD // 2
        or _is_run(folded)
        or _is_run(unit)
    )


def _repeated(text: str) -> str:
    """The shortest piece that, said again and again, is the whole text."""
    return text[: (text + text).find(text, 1)]


def _is_run(text: str) -> bool:
    longest = max(len(run) for run in _RUNS)
    around = (run * (len(text) // len(run) + 2) for run in _RUNS)
    ways = (text, text[::-1])
    return len(text) > longest // 4 and any(way in run for run in around for way in ways)


def _is_made_of(folded: str, words: Iterable[str]) -> bool:
    left = folded
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word.casefold(), "")
    return 2 * len(left) < len(folded)


@cache
def _common() -> frozenset[str]:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - 30 ms, at first use

    return frozenset(word.casefold() for word in FREQUENCY_LISTS["passwords"])
