"""Trust in auth.state.keys.v1: records are signed under a root key whose thumbprint is pinned."""

import logging
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from authbus import signing
from authbus.signing import SignatureError
from authbus.state import PublicKey

_LOG = logging.getLogger("authbus")


def sign_key(fields: Mapping[str, Any], root: Ed25519PrivateKey) -> PublicKey:
    """The record of a key: all fields of PublicKey but `signature`, which the root key gives."""
    unsigned = PublicKey.model_validate({**fields, "signature": ""})
    body = unsigned.to_json()
    del body["signature"]
    header = {"jwk": signing.public_jwk(root.public_key())}
    return unsigned.model_copy(update={"signature": signing.sign(header, body, root)})


class Trust:
    """Which root keys are believed.

    With thumbprints (two during a change of roots) those alone. Without any, the first root that
    signed a key is kept for as long as this object lives, and that is said once.
    """

    def __init__(self, thumbprints: tuple[str, ...] | str | None = None) -> None:
        pinned = (thumbprints,) if isinstance(thumbprints, str) else thumbprints
        if pinned is not None and not (pinned and all(pinned)):
            raise ValueError("trust= takes thumbprints of root keys, none of them empty")
        self._roots = frozenset(pinned or ())

    def accept(self, record: PublicKey) -> bool:
        """Whether a believed root signed exactly this record."""
        try:
            root = _root_of(record)
        except (SignatureError, ValidationError):
            root = None
        if root is None:
            return False
        if not self._roots:
            self._keep_first(root)
        return root in self._roots

    def _keep_first(self, root: str) -> None:
        self._roots = frozenset((root,))
        _LOG.warning("no root key is pinned: the first one is believed. Pin it: trust=%r", root)


def _root_of(record: PublicKey) -> str | None:
    # Instants are compared as instants: another writer may spell the same one differently.
    signed = signing.take_apart(record.signature)
    key = signing.public_key(signed.header.get("jwk") or {})
    signed.verify(key)
    claimed = PublicKey.model_validate({**signed.body, "signature": record.signature})
    return signing.thumbprint(key) if claimed == record else None
