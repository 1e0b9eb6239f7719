"""Rules that say which request meets which fault, and that remember what they caught."""

import asyncio
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from tests.chaos.wire import Request


class Side(Enum):
    """The way on which a fault strikes: before the broker saw the request, or after."""

    REQUEST = auto()
    RESPONSE = auto()


class Fault(StrEnum):
    """What a rule does, and the key under which the proxy counts it."""

    HOLD = auto()
    DELAY = auto()
    DROP = auto()
    HALF_CLOSE = auto()
    CUT = auto()
    REFUSE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which requests a rule takes: None and b"" take all.

    The first `skip` that fit are let through, the next `times` are taken (None: every one).
    `containing` looks for bytes anywhere in the request, such as a topic's name. `door` is that of
    one broker.
    """

    api: int | None = None
    client_id: str | None = None
    containing: bytes = b""
    side: Side = Side.REQUEST
    skip: int = 0
    times: int | None = 1
    door: int | None = None

    def fits(self, request: Request, side: Side) -> bool:
        """Tell whether the rule is about this request, whatever its count."""
        return (
            side is self.side
            and self.api in (None, request.api)
            and self.client_id in (None, request.client_id)
            and self.containing in request.frame
        )


class Rule:
    """One fault, waiting for the requests that it is for.

    A rule ends with `lift()`; what it caught stays readable in `requests`.
    """

    def __init__(self, fault: Fault, match: Match, seconds: float = 0.0) -> None:
        """Prepare a rule; `seconds` is the length of a delay."""
        self.fault = fault
        self.match = match
        self.seconds = seconds
        self.requests: list[Request] = []
        self._skipped = 0
        self._lifted = asyncio.Event()
        self._news = asyncio.Condition()

    @property
    def lifted(self) -> bool:
        """True once the rule takes nothing any more and holds nothing back."""
        return self._lifted.is_set()

    def takes(self, request: Request, side: Side) -> bool:
        """Decide about one request, and count it."""
        if self.lifted or not self.match.fits(request, side):
            return False
        if self._skipped < self.match.skip:
            self._skipped += 1
            return False
        return self.match.times is None or len(self.requests) < self.match.times

    async def add(self, request: Request) -> None:
        """Remember a request that the rule took, and wake those who wait for it."""
        self.requests.append(request)
        async with self._news:
            self._news.notify_all()

    async def caught(self, count: int = 1) -> Request:
        """Wait until `count` requests were taken, and give the last of these."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.requests) >= count)
        return self.requests[count - 1]

    async def answered(self, count: int = 1) -> bytes:
        """Wait for the broker's answer to the `count`th taken request.

        Raises ConnectionError when the connection to the broker ended without one.
        """
        answer = (await self.caught(count)).answer
        await asyncio.wait({answer})
        if answer.cancelled():
            msg = "the broker never answered"
            raise ConnectionError(msg)
        return answer.result()

    def lift(self) -> None:
        """End the rule; requests that it holds go on to where they were going."""
        self._lifted.set()

    async def until_lifted(self) -> None:
        """Wait for `lift()`."""
        await self._lifted.wait()


class Held(Rule):
    """A rule that keeps requests (or answers) back until the test lets them go."""

    def release(self) -> None:
        """Let everything held go, in its order, even if its client has long gone away."""
        self.lift()
