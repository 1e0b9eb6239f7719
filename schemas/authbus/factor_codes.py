"""Codes of a second factor as people type them: an app's digits, or a recovery code."""

from base64 import b32encode

from authbus import totp

RECOVERY_CODES = 10
RECOVERY_BYTES = 10
_GROUP = 4


def plain(typed: str) -> str:
    """Without the blanks and hyphens that make a code easier to read."""
    return "".join(each for each in typed if each.isalnum()).lower()


def is_recovery_code(code: str) -> bool:
    """Whether a plain code is meant as a recovery code, else it is one of an app."""
    return len(code) != totp.DIGITS


def recovery_code(chance: bytes) -> str:
    """A recovery code of these 10 bytes."""
    text = b32encode(chance[:RECOVERY_BYTES]).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))
