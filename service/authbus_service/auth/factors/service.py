"""The rules of a second factor: what passes it, and that each code does so once."""

from datetime import datetime

from authbus import totp
from authbus.factor_codes import is_recovery_code, plain
from authbus.message import Event
from authbus_service.auth.factors.factor import Factor, Passed
from authbus_service.auth.factors.rows import Factors
from authbus_service.core.security.masters import Masters, token_hash
from authbus_service.core.security.wrapping import unwrap, wrap

_PURPOSE = "totp"
_HASH_BYTES = 32


def wrapped(masters: Masters, user_id: bytes, secret: bytes) -> bytes:
    """A secret as its user's row holds it."""
    return wrap(masters, _PURPOSE, secret, context=user_id)


def opened(factor: Factor, masters: Masters) -> bytes:
    """The secret of a row. Raises MasterKeyError when its master is not in the list."""
    return unwrap(masters, _PURPOSE, factor.secret, context=factor.user_id.bytes)


def passes(factor: Factor, typed: str, masters: Masters, at: datetime) -> Passed | None:
    """Whether what a user typed is a code of their app, or a recovery code, that was not used."""
    code = plain(typed)
    if is_recovery_code(code):
        found = token_hash(code)
        return Passed(recovery_hash=found) if found in _hashes(factor.recovery_codes) else None
    step = totp.matching(opened(factor, masters), code, at, after=factor.last_step)
    return None if step is None else Passed(step=step)


def hashed(recovery_codes: tuple[str, ...]) -> bytes:
    """What the row holds of recovery codes. Each has 80 random bits and needs no slower hash."""
    return b"".join(token_hash(plain(each)) for each in recovery_codes)


def requested(event: Event, secret: bytes, factors: Factors, at: datetime) -> None:
    """Apply TotpRequested: a secret that nothing depends on yet, in the place of an earlier one."""
    factors.put(Factor(event.user_id, secret, at))


def void(event: Event, factors: Factors) -> None:
    """Apply the end of a password: what was begun with it, and never confirmed, is no more."""
    factors.drop(event.user_id)


def enabled(
    event: Event, passed: Passed, recovery_codes: bytes, factors: Factors, at: datetime
) -> None:
    """Apply TotpEnabled: its first code is used."""
    factor = factors.touch(event.user_id)
    factor.enabled_at, factor.last_step = at, passed.step
    factor.recovery_codes = recovery_codes


def used(event: Event, passed: Passed, factors: Factors) -> None:
    """Apply the use of a code: it is good no more."""
    factor = factors.touch(event.user_id)
    factor.last_step = max(factor.last_step, passed.step)
    kept = [each for each in _hashes(factor.recovery_codes) if each != passed.recovery_hash]
    factor.recovery_codes = b"".join(kept)


def recovery_codes_left(factor: Factor, passed: Passed) -> int:
    """How many there are once this one is used."""
    return sum(each != passed.recovery_hash for each in _hashes(factor.recovery_codes))


def disabled(event: Event, factors: Factors) -> None:
    """Apply TotpDisabled: nothing of it stays."""
    factors.drop(event.user_id)


def _hashes(recovery_codes: bytes) -> list[bytes]:
    places = range(0, len(recovery_codes), _HASH_BYTES)
    return [recovery_codes[at : at + _HASH_BYTES] for at in places]
