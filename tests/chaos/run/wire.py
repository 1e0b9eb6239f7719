"""Faults on the wire between the services and the broker, each inside of what it breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.chaos.faults import Rule, Side
from tests.chaos.proxy import Proxy
from tests.chaos.wire import Api

IN_A_TRANSACTION = (
    "hold EndTxn",
    "hold Produce of the relay",
    "hold AddPartitionsToTxn",
    "lose the answer to EndTxn",
    "lose the answer to Produce of the relay",
    "cut at EndTxn",
    "half-close at Produce of the relay",
)
MENU = (*IN_A_TRANSACTION, "hold OffsetCommit", "dead one way", "cut all")
# How long a request of a kind that is rare may take to come by.
_COMES_SECONDS = 5.0
# Shorter than a relay waits for Kafka, and longer.
_SHORT_HOLD, _LONG_HOLD = (0.05, 0.5), (2.5, 6.0)
_DEAD_SECONDS = (0.5, 4.0)

Fault = Callable[[], Awaitable[bool]]


@dataclass(frozen=True)
class Wire:
    """`relay` is the name under which relays speak to Kafka."""

    proxy: Proxy
    relay: str
    random: Random

    @property
    def faults(self) -> dict[str, Fault]:
        """Every fault by its name; each tells whether it happened."""
        proxy, relay = self.proxy, self.relay
        return {
            "hold EndTxn": lambda: self._hold(Api.END_TXN),
            "hold Produce of the relay": lambda: self._hold(Api.PRODUCE, relay),
            "hold AddPartitionsToTxn": lambda: self._hold(Api.ADD_PARTITIONS_TO_TXN),
            "hold OffsetCommit": lambda: self._hold(Api.OFFSET_COMMIT),
            "lose the answer to EndTxn": lambda: self._once(
                proxy.drop(Api.END_TXN, side=Side.RESPONSE)
            ),
            "lose the answer to Produce of the relay": lambda: self._once(
                proxy.drop(Api.PRODUCE, client_id=relay, side=Side.RESPONSE)
            ),
            "cut at EndTxn": lambda: self._once(
                proxy.cut_at(Api.END_TXN, side=self.random.choice(list(Side)))
            ),
            "half-close at Produce of the relay": lambda: self._once(
                proxy.half_close(Api.PRODUCE, client_id=relay)
            ),
            "dead one way": self._dead,
            "cut all": self._cut,
        }

    async def _hold(self, api: Api, client_id: str | None = None) -> bool:
        """Keep one back; on its way the client gives up, or not."""
        held = self.proxy.hold(api, client_id=client_id)
        try:
            if not await _came(held):
                return False
            await self._wait(*self._seconds())
            return True
        finally:
            held.release()

    async def _once(self, rule: Rule) -> bool:
        try:
            return await _came(rule)
        finally:
            rule.lift()

    async def _dead(self) -> bool:
        """What goes one way on a connection gets lost; connections made meanwhile too."""
        rule = self.proxy.drop(side=self.random.choice(list(Side)), times=None)
        try:
            await self._wait(*_DEAD_SECONDS)
        finally:
            rule.lift()
        return bool(rule.requests)

    async def _cut(self) -> bool:
        return self.proxy.cut() > 0

    def _seconds(self) -> tuple[float, float]:
        return self.random.choice([_SHORT_HOLD, _LONG_HOLD])

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self.random.uniform(least, most))


async def _came(rule: Rule) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_COMES_SECONDS):
            await rule.caught()
            return True
    return False
