"""A client and a verifier that know no Kafka."""

from collections import deque
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from authbus.client.auth_calls import AuthCalls, Means
from authbus.client.auth_client import TIMEOUT, AuthClient
from authbus.client.lanes import Lanes
from authbus.testing.answering import MemoryAsker, Trouble
from authbus.testing.memory import Memory
from authbus.testing.minting import ISSUER, Feed
from authbus.tokens import OnStale, Rules, TokenChecker
from authbus.verifier import MAX_STALENESS, Verifier

_VERSION_AND_VARIANT = 0x7 << 76 | 0x2 << 62


class Offline:
    """What is checked without asking, by what was read since it was opened."""

    def __init__(self, memory: Memory, audience: str, on_stale: OnStale) -> None:
        self._published, self._keys = memory.mint.published, memory.mint.no_keys()
        self.ended = Feed(memory.ended)
        rules = Rules(ISSUER, audience, timedelta(seconds=MAX_STALENESS), on_stale)
        self.checker = TokenChecker(rules, self._keys, self.ended, lambda: memory.now)

    def open(self) -> None:
        """Read the key, and follow what ends."""
        self._keys.take(self._published)
        self.ended.is_open = True

    def close(self) -> None:
        """Follow no more. The key stays known: tokens are refused because the feed is stale."""
        self.ended.is_open = False


class FakeClient(AuthClient):
    """An AuthClient whose calls are answered from memory, at once."""

    def __init__(
        self,
        memory: Memory,
        client_id: str,
        troubles: deque[Trouble],
        *,
        audience: str,
        on_stale: OnStale,
    ) -> None:
        self._memory = memory
        self._memory_asker = MemoryAsker(memory, client_id, troubles)
        self._offline = Offline(memory, audience, on_stale)
        means = Means(
            asks=self._memory_asker,
            checker=self._offline.checker,
            ended=self._offline.ended,
            timeout=TIMEOUT,
            lanes=Lanes(b"none"),
            new_id=self._new_id,
        )
        # Not AuthClient's own: that one is about Kafka alone.
        AuthCalls.__init__(self, means)

    def _new_id(self) -> UUID:
        """A UUIDv7 of the fake's own time: the same ones in each run that begins at that time."""
        self._memory.ids += 1
        since = self._memory.now - datetime(1970, 1, 1, tzinfo=UTC)
        milliseconds = since // timedelta(milliseconds=1)
        return UUID(int=milliseconds << 80 | _VERSION_AND_VARIANT | self._memory.ids)

    async def __aenter__(self) -> Self:
        """Nothing is connected."""
        self._memory_asker.is_open = True
        self._offline.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Calls and tokens are refused from now on."""
        self._memory_asker.is_open = False
        self._offline.close()


class FakeVerifier(Verifier):
    """A Verifier that knows of an end when it happens."""

    def __init__(self, memory: Memory, *, audience: str, on_stale: OnStale) -> None:
        self._memory, self._offline = memory, Offline(memory, audience, on_stale)
        self._checker = self._offline.checker

    async def __aenter__(self) -> Self:
        """Nothing is connected."""
        self._offline.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tokens are refused from now on."""
        self._offline.close()

    @property
    def staleness(self) -> timedelta:
        """As far behind as the test lets it be; very far when it is not open."""
        return self._offline.ended.age(self._memory.now)
