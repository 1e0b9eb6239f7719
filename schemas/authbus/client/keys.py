"""Record keys for commands that come with a token: one user's commands keep their order."""

import json
from typing import Any

from authbus.base64url import decode
from authbus.uuid7 import uuid7

_PARTS = 3


def whose(token: str) -> str:
    """The user whom a token names. Nothing is verified: a key is for order, never a proof.

    A key of its own where the token names nobody.
    """
    parts = token.split(".")
    try:
        claims: Any = json.loads(decode(parts[1])) if len(parts) == _PARTS else None
    except (ValueError, RecursionError):
        claims = None
    subject = claims.get("sub") if isinstance(claims, dict) else None
    return subject if isinstance(subject, str) and subject.isascii() else str(uuid7())
