"""How many access tokens one core checks a second of CPU: each for the first time, and again."""

import os
import time
from datetime import UTC, datetime, timedelta

from authbus.ended_sessions import EndedSessions
from authbus.public_keys import PublicKeys
from authbus.tokens import Rules, TokenChecker
from authbus.trust import Trust
from authbus_service.core.ids import new_id
from authbus_service.core.security.keyring import KeyRing, first_keys
from authbus_service.core.security.masters import Masters

_TOKENS = 3_000


def checks_a_second() -> tuple[float, float]:
    """Tokens that were never seen, and tokens whose signature was checked before."""
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
    return _rate(checker, tokens), _rate(checker, tokens)


def _rate(checker: TokenChecker, tokens: list[str]) -> float:
    began = time.process_time()
    for token in tokens:
        checker.verify(token)
    return len(tokens) / (time.process_time() - began)


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
