"""The operator's proof: a token that only a holder of the master key can make, for one command.

It names the command and lives for a minute or so: seen by anybody, it is good for nothing else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from authbus.signing import SignatureError, sign, take_apart
from authbus_service.core.security.keyring import KeyRing
from authbus_service.core.security.masters import MasterKeyError, Masters

_TYPE = "operator+jwt"
LIFETIME = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Operator:
    """What such a token says."""

    command_id: UUID
    expires_at: datetime


def operator_token(masters: Masters, *, issuer: str, command_id: UUID, at: datetime) -> str:
    """The proof for this command, under the current master."""
    header = {"typ": _TYPE, "kid": masters.current}
    body = {
        "iss": issuer,
        "jti": str(command_id),
        "exp": int((at + LIFETIME).timestamp()),
    }
    return sign(header, body, masters.operator_key())


def read_operator(token: str, *, issuer: str, keyring: KeyRing) -> Operator | None:
    """What the token says, or None when no master of ours made it. Its time is not judged.

    A master that was replaced opens what lies on the topics for a while, and commands no more.
    """
    try:
        signed = take_apart(token)
        master = signed.header["kid"]
        if signed.header.get("typ") != _TYPE or signed.body.get("iss") != issuer:
            return None
        signed.verify(keyring.masters.operator_key(master).public_key())
        if keyring.is_replaced(master):
            return None
        return Operator(UUID(signed.body["jti"]), datetime.fromtimestamp(signed.body["exp"], UTC))
    except (
        AttributeError,
        KeyError,
        MasterKeyError,
        OverflowError,
        SignatureError,
        TypeError,
        ValueError,
    ):
        return None
