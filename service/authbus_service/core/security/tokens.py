"""Access tokens: RFC 9068, `at+jwt`, EdDSA. The same claims and key give the same token."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from authbus.signing import sign


def access_token(claims: Mapping[str, Any], kid: str, key: Ed25519PrivateKey) -> str:
    """The compact JWS of these claims."""
    return sign({"typ": "at+jwt", "kid": kid}, claims, key)
