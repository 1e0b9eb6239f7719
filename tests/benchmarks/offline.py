"""How many access tokens one core checks a second of CPU: each for the first time, and again.

Beside them the bare check of a signature, so that the speed of the machine falls out.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nacl.bindings import crypto_sign_open

from authbus.ended_sessions import EndedSessions
from authbus.public_keys import PublicKeys
from authbus.signing import take_apart
from authbus.tokens import Rules, TokenChecker
from authbus.trust import Trust
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters

_TOKENS = 3_000


@dataclass(frozen=True)
class Checks:
    """A second of CPU: signatures alone, tokens never seen, tokens seen before."""

    bare: float
    first: float
    again: float


def checks_a_second() -> Checks:
    """One after the other, the same tokens each time."""
    now = datetime.now(UTC)
    masters = Masters([os.urandom(32)])
    ring, keys = KeyRing(masters), PublicKeys(Trust(None))
    ring.load(first_keys(now, masters))
    for record in ring.public_records():
        keys.take(record)
    # No feed of ended sessions: it would be asked for its age and for one id.
    rules = Rules("authbus/auth", "web", timedelta(seconds=5), "accept")
    checker = TokenChecker(rules, keys, EndedSessions())
    tokens = [ring.sign(_claims(now)) for _ in range(_TOKENS)]
    return Checks(
        _rate(_bare(keys, tokens[0]), tokens),
        _rate(checker.verify, tokens),
        _rate(checker.verify, tokens),
    )


def _rate(check: Callable[[str], object], tokens: list[str]) -> float:
    began = time.process_time()
    for token in tokens:
        check(token)
    return len(tokens) / (time.process_time() - began)


def _bare(keys: PublicKeys, token: str) -> Callable[[str], object]:
    """The check of one signature as the library has it, with nothing around it."""
    signed = take_apart(token)
    key = keys.signing(signed.header["kid"])
    assert key is not None
    opened, public = signed.signature + signed.signed, key.key.public_bytes_raw()
    return lambda _: crypto_sign_open(opened, public)


def _claims(now: datetime) -> dict[str, object]:
    issued = int(now.timestamp())
    return {
        "iss": "authbus/auth",
        "sub": str(new_id()),
        "sid": str(new_id()),
        "aud": "web",
        "client_id": "web",
        "jti": str(new_id()),
        "iat": issued,
        "exp": issued + 600,
        "auth_time": issued,
        "amr": ["pwd"],
        "roles": [],
    }
