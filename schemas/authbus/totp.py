"""RFC 6238: six digits of HMAC-SHA1 every 30 seconds, which is what every app can do."""

import base64
import hmac
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

SECRET_BYTES = 20
DIGITS = 6
_STEP_SECONDS = 30
# A clock may be a step behind or ahead.
_WINDOW = (-1, 0, 1)


def code_at(secret: bytes, step: int) -> str:
    """The code of one step, a count of 30 seconds since 1970."""
    return _totp(secret).generate(step * _STEP_SECONDS).decode()


def step_of(at: datetime) -> int:
    """The step of a time."""
    return int(at.timestamp()) // _STEP_SECONDS


def matching(secret: bytes, code: str, at: datetime, *, after: int) -> int | None:
    """The step whose code this is, near this time and later than the one that was used last.

    All steps are computed and compared, whichever it is.
    """
    now = step_of(at)
    right = [
        step
        for step in (now + each for each in _WINDOW)
        if hmac.compare_digest(code_at(secret, step).encode(), code.encode())
    ]
    return next((step for step in right if step > after), None)


def as_text(secret: bytes) -> str:
    """The secret as people type it."""
    return base64.b32encode(secret).decode()


def from_text(text: str) -> bytes:
    """The secret that people type as this."""
    return base64.b32decode(text)


def uri(secret: bytes, *, label: str, issuer: str) -> str:
    """The secret as apps read it from a QR code."""
    return _totp(secret).get_provisioning_uri(label, issuer)


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), _STEP_SECONDS)  # noqa: S303 - HMAC-SHA1, as the RFC has it
