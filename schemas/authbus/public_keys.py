"""The public keys of auth.state.keys.v1, as far as they are trusted."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from authbus import signing
from authbus.kafka.following import Record
from authbus.sealing import public_key
from authbus.state import PublicKey
from authbus.strict_json import read_json
from authbus.trust import Trust

_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that tokens are verified with; what was issued after `retired_at` is not its own."""

    kid: str
    key: Ed25519PublicKey
    retired_at: datetime | None


class PublicKeys:
    """Follows the topic's records. A key that was retired once stays retired, also after its end.

    Whoever has stolen it, and may write to the topic, has its first record to say again.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._sealing: dict[str, PublicKey] = {}
        self._signing: dict[str, SigningKey] = {}
        self._refused: set[str] = set()
        self._retired: set[str] = set()

    def read(self, record: Record) -> None:
        """Take one record of the topic; a null value is the end of a key."""
        kid = (record.key or b"").decode()
        if record.value is None:
            self._sealing.pop(kid, None)
            self._signing.pop(kid, None)
            return
        found = PublicKey.model_validate(read_json(record.value))
        if found.kid == kid:
            self.take(found)
        else:
            self._refused.add(kid)

    def take(self, found: PublicKey) -> None:
        """Take what one record says, if it is trusted."""
        if not self._trust.accept(found):
            self._refused.add(found.kid)
            return
        self._refused.discard(found.kid)
        if found.retired_at is not None:
            self._retired.add(found.kid)
        elif found.kid in self._retired:
            return
        if found.use == "enc":
            self._take_sealing(found)
        else:
            self._take_signing(found)

    def signing(self, kid: object) -> SigningKey | None:
        """The key with which tokens of this kid are verified."""
        return self._signing.get(kid) if isinstance(kid, str) else None

    def newest_sealing(self, at: datetime) -> Mapping[str, str] | None:
        """The JWK to seal for at this time: the newest that serves; None when there is none."""
        serving = [
            key
            for key in self._sealing.values()
            if key.not_before <= at and (key.retired_at is None or at < key.retired_at)
        ]
        if not serving:
            return None
        newest = max(serving, key=lambda key: (key.not_before, key.kid))
        return {**newest.jwk, "kid": newest.kid}

    async def sealing(self) -> Mapping[str, str]:
        """The JWK to seal for; waits until there is one. The caller sets the deadline."""
        # A key comes with a record or with its hour: no event could tell both.
        while (key := self.newest_sealing(datetime.now(UTC))) is None:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        return key

    def absence(self) -> str:
        """Why there is no key to seal for."""
        if self._refused:
            return (
                f"{len(self._refused)} keys are signed by another root key than `trust=` names: "
                "give the `trust` that `authbus serve` prints"
            )
        if self._sealing:
            return "no key of the service serves at the time that this host's clock shows: set it"
        return "the service has not published its keys yet; `authbus serve` does when it starts"

    def _take_sealing(self, found: PublicKey) -> None:
        public_key(found.jwk)
        known = self._sealing.get(found.kid)
        if known is None or known.retired_at is None:
            self._sealing[found.kid] = found

    def _take_signing(self, found: PublicKey) -> None:
        known = self._signing.get(found.kid)
        if known is None or known.retired_at is None:
            key = signing.public_key(found.jwk)
            self._signing[found.kid] = SigningKey(found.kid, key, found.retired_at)
