"""Which passwords are taken: the service's rules, with a short list of common ones.

Tests hold them against the service's own.
"""

import re
import unicodedata

from authbus.replies import Code

_MOST_BYTES = 1024
_SHORTEST_WORD = 4
COMMON = frozenset(
    {
        "password",
        "passwordpassword",
        "password1234",
        "password12345",
        "123456789012",
        "1234567890123",
        "qwertyuiop123",
        "letmeinletmein",
        "iloveyouiloveyou",
    }
)


def judge(password: str, address: str, min_length: int) -> Code | None:
    """Which rule refuses this password of whoever has the address, or None."""
    text = normalised(password)
    if text is None:
        return Code.PASSWORD_TOO_LONG
    if len(text) < min_length:
        return Code.PASSWORD_TOO_SHORT
    folded = text.casefold()
    if folded in COMMON or len(set(folded)) <= _SHORTEST_WORD // 2:
        return Code.PASSWORD_COMMON
    left = folded
    for word in sorted(_own_words(address), key=len, reverse=True):
        left = left.replace(word, "")
    return Code.PASSWORD_PERSONAL if 2 * len(left) < len(folded) else None


def normalised(password: str) -> str | None:
    """A password as it is compared, or None when it cannot be one."""
    spaced = "".join(" " if unicodedata.category(each) == "Zs" else each for each in password)
    text = unicodedata.normalize("NFC", spaced)
    try:
        return text if len(text.encode()) <= _MOST_BYTES else None
    except UnicodeEncodeError:
        return None


def _own_words(address: str) -> set[str]:
    local, _, domain = address.lower().rpartition("@")
    labels = domain.split(".")[:-1]
    words = {local, domain, *re.split(r"[\W_]+", local), *labels, "authbus"}
    return {word for word in words if len(word) >= _SHORTEST_WORD}
