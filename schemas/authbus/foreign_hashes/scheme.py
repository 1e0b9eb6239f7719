"""What every foreign scheme is: a written form, a ceiling of cost, a way to verify."""

import base64
import binascii
import re
from typing import Protocol


class RefusedHashError(ValueError):
    """A foreign hash that is not taken. The text names the rule and repeats nothing."""


class Scheme(Protocol):
    """One scheme. Everything here is safe to use from many threads and frees the GIL."""

    form: re.Pattern[str]

    def accepted(self, found: re.Match[str]) -> str:
        """The text to store for a hash of this form. Raises RefusedHashError; hashes nothing."""
        ...

    def matches(self, found: re.Match[str], password: bytes) -> bool:
        """Whether the password made the stored hash."""
        ...


def within(name: str, value: int, least: int, most: int) -> None:
    """Raises RefusedHashError when a cost is out of bounds."""
    if not least <= value <= most:
        raise RefusedHashError(f"{name}: {least} to {most}")


def decoded(name: str, text: str, least: int, most: int) -> bytes:
    """Base64 of either alphabet, padded or not, of so many bytes. Raises RefusedHashError."""
    standard = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (ValueError, binascii.Error):
        raise RefusedHashError(f"{name}: not base64") from None
    if not least <= len(raw) <= most:
        raise RefusedHashError(f"{name}: {least} to {most} bytes")
    return raw


def encoded(raw: bytes) -> str:
    """Base64 without padding."""
    return base64.b64encode(raw).rstrip(b"=").decode()
